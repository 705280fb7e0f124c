import { execFile } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { REGRESSIONS } from './regressions.ts'

interface Ended {
  readonly code: number
  readonly output: string
}

/** In a process of its own: the simulation puts its own time and chance in the place of the real ones. */
function simulate(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const env = { ...process.env, NO_COLOR: '1', ...environment }
  return new Promise((resolve) => {
    execFile(process.execPath, ['test/simulation/simulate.ts', ...args], { env }, (error, output, errors) => {
      resolve({ code: error === null ? 0 : Number(error.code), output: output + errors })
    })
  })
}

const fingerprint = ({ output }: Ended) => /Fingerprint: (\w{64})/.exec(output)?.[1]

describe.concurrent('the simulation', () => {
  it('holds every claim in a fixed set of histories, and says what they have shown', async () => {
    const { code, output } = await simulate(['--seeds', '4'])
    expect(output).toContain('Every claim held')
    expect(output).toMatch(/4 histories, \d+ ticks, \d+ of them with faults/)
    expect(code).toBe(0)
  })

  it('lives the same history to the byte in another process and another time zone', async () => {
    const args = ['--seed', '12', '--ticks', '6', '--print']
    const [here, there] = await Promise.all([
      simulate(args, { TZ: 'Asia/Kathmandu' }),
      simulate(args, { TZ: 'America/St_Johns' }),
    ])
    expect(fingerprint(here)).toMatch(/^\w{64}$/)
    expect(fingerprint(there)).toBe(fingerprint(here))
  })

  it('lives a quiet history where all faults are left out', async () => {
    const { code, output } = await simulate(['--seed', '12', '--ticks', '2', '--faults', '', '--print'])
    expect(output).toContain('t1 ann try 1 starts')
    expect(output).not.toMatch(/^ +\d+\.\d+ s fault /m)
    expect(code).toBe(0)
  })

  it('answers arguments that it cannot read with what it expects', async () => {
    expect(await simulate(['--seed', 'seven'])).toMatchObject({
      code: 2,
      output: expect.stringContaining('whole number'),
    })
    expect(await simulate(['--ticks', '3'])).toMatchObject({ code: 2, output: expect.stringContaining('--seed') })
  })

  it.for(REGRESSIONS)('holds every claim where it once found: $found', async ({ seed, ticks, faults }) => {
    const { code, output } = await simulate(['--seed', `${seed}`, '--ticks', `${ticks}`, '--faults', faults.join(',')])
    expect(output).toContain('Every claim held')
    expect(code).toBe(0)
  })
})
