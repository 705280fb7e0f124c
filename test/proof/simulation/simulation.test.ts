import './globals.ts' // before anything that keeps a clock for itself
import { execFile } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { live } from './history.ts'

interface Ended {
  readonly code: number
  readonly output: string
}

function simulate(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const env = { ...process.env, NO_COLOR: '1', ...environment }
  return new Promise((resolve) => {
    execFile(process.execPath, ['test/proof/simulation/simulate.ts', ...args], { env }, (error, output, errors) => {
      resolve({ code: error === null ? 0 : Number(error.code), output: output + errors })
    })
  })
}

describe.concurrent('the simulation', () => {
  it('lives the same history to the byte in another process, time zone and language, and says what it has shown', async () => {
    const args = ['--seed', '12', '--ticks', '6', '--print']
    const elsewhere = { TZ: 'Asia/Kathmandu', LANG: 'ne_NP.UTF-8', LC_ALL: 'ne_NP.UTF-8' }
    const [{ code, output }, here] = await Promise.all([simulate(args, elsewhere), live({ seed: 12, ticks: 6 })])
    expect(output).toContain(`Fingerprint: ${here.fingerprint()}\n`)
    expect(output).toContain('t1 ann try 1 starts')
    expect(output).toMatch(/1 histories, 6 ticks, \d of them with faults/)
    expect(output).toContain('Every claim held')
    expect(code).toBe(0)
  })

  it('answers arguments that it cannot read with what it expects', async () => {
    expect(await simulate(['--seed', 'seven'])).toMatchObject({
      code: 2,
      output: expect.stringContaining('whole number'),
    })
    expect(await simulate(['--ticks', '3'])).toMatchObject({ code: 2, output: expect.stringContaining('--seed') })
  })
})
