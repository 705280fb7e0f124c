import { type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { isAlive, stateOf } from '../fixtures/processes.ts'

const tiny = fileURLToPath(new URL('../fixtures/start-tiny.ts', import.meta.url))
const whole = fileURLToPath(new URL('../../../infra/local/start.ts', import.meta.url))
const HEADER = 'customer,name,plan,interval,priceMinor,currency,dueDate,timeZone'

/** A directory of its own for each test, with the CSV file of one customer, due on that day. */
function customersDue(dueDate: string) {
  const directory = mkdtempSync(join(tmpdir(), 'tenure-test-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const file = join(directory, 'customers.csv')
  writeFileSync(file, `${HEADER}\nc-1,Ada,basic,month,999,EUR,${dueDate},Europe/Berlin\n`)
  return { directory, file }
}

function scenarioFile(directory: string, acts: unknown): string {
  const file = join(directory, 'acts.json')
  writeFileSync(file, typeof acts === 'string' ? acts : JSON.stringify(acts))
  return file
}

interface Started {
  readonly child: ChildProcessByStdio<null, Readable, Readable>
  readonly output: { stdout: string; stderr: string }
  /** Settles with the exit code once it has said all. */
  readonly ended: Promise<number | null>
}

function start(directory: string, ...flags: string[]): Started {
  return startProgram(tiny, directory, ['--no-page', ...flags])
}

function startProgram(program: string, directory: string, flags: readonly string[]): Started {
  const env = { ...process.env, TMPDIR: directory }
  const child = spawn(process.execPath, [program, ...flags], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  onTestFinished(() => void child.kill('SIGKILL')) // for a test that fails before the end
  const output = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text
  })
  return { child, output, ended: once(child, 'close').then(([code]) => code) }
}

/** The process and all that it has started, directly or not. */
function familyOf(root: number | undefined): number[] {
  const rows = spawnSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).stdout.trim().split('\n')
  const pairs = rows.map((row) => row.trim().split(/\s+/).map(Number))
  const family = new Set([root])
  for (let size = 0; size !== family.size; ) {
    size = family.size
    for (const [pid, parent] of pairs) if (family.has(parent)) family.add(pid)
  }
  return [...family].filter((pid) => pid !== undefined)
}

const leftOf = (family: readonly number[]) => family.filter(isAlive)

/** Synthesizing takes seconds, and many where other tests keep the machine busy. */
const TO_START = { timeout: 90_000 }

describe('npm start', { timeout: 120_000 }, () => {
  test('runs ticks until the present, prints one JSON object as the last line, and cleans up', async () => {
    const { directory, file } = customersDue('2099-01-31')
    const { child, output, ended } = start(directory, '--ticks', '3', '--every', '0s', '--customers', file, '--json')
    await expect.poll(() => output.stderr, TO_START).toMatch(/candidate-4/)
    const family = familyOf(child.pid)
    expect(await ended).toBe(0)
    const summary = JSON.parse(output.stdout)
    const { ticks } = summary
    expect([1, 2]).toContain(ticks) // two where an hour ended meanwhile
    expect(summary).toEqual({
      ticks,
      candidates: 4,
      completed: ticks,
      completedTwice: 0,
      standby: 3 * ticks,
      failed: 0,
      tookOver: 0,
      charges: 0,
      duplicateCharges: 0,
      replayedRequests: 0,
      dueNotCharged: 0,
      declined: 0,
      wrongCharges: 0,
      verdict: 'right',
      lostUpdates: 0,
      staleWritesRefused: 0,
    })
    expect(output.stderr).toContain('The next tick lies in the future')
    await expect.poll(() => leftOf(family)).toEqual([])
    expect(readdirSync(directory)).toEqual(['customers.csv'])
  })

  test('ends in good order at Ctrl-C: a summary that finds what was not charged, and no process left', async () => {
    const { directory, file } = customersDue('2024-01-31') // the function of this app charges nobody
    const flags = ['--every', '10ms', '--candidates', '2', '--customers', file]
    const { child, output, ended } = startProgram(tiny, directory, flags)
    await expect.poll(() => output.stdout, TO_START).toMatch(/\n +3 /)
    expect(output.stdout).toMatch(/^Watch the election, and break it: http:\/\/127\.0\.0\.1:\d+\/?\S*$/m)
    const family = familyOf(child.pid)
    expect(family.length).toBeGreaterThanOrEqual(5) // itself, the watchdog, DynamoDB Local, two environments
    child.kill('SIGINT')
    expect(await ended).toBe(1)
    expect(output.stdout).toMatch(/ticks completed, each by one of 2 candidates/)
    expect(output.stdout).toContain('1 due and not recorded as charged')
    await expect.poll(() => leftOf(family)).toEqual([])
  })

  test('ends in good order when nobody reads what it prints any more', async () => {
    const { directory, file } = customersDue('2024-01-31')
    const { child, output, ended } = start(directory, '--every', '10ms', '--candidates', '2', '--customers', file)
    await expect.poll(() => output.stdout, TO_START).toMatch(/\n +1 /)
    const family = familyOf(child.pid)
    child.stdout.destroy()
    expect(await ended).toBe(1) // something due was not charged, as above
    expect(output.stderr).not.toContain('EPIPE')
    await expect.poll(() => leftOf(family)).toEqual([])
  })

  test('leaves no process behind when it is killed, frozen environments included', async () => {
    const { directory, file } = customersDue('2024-01-31')
    const { child, output } = start(directory, '--every', '60s', '--candidates', '2', '--customers', file)
    await expect.poll(() => output.stdout, TO_START).toMatch(/\n +1 /)
    const family = familyOf(child.pid)
    expect(family.length).toBeGreaterThanOrEqual(5)
    child.kill('SIGKILL')
    await expect.poll(() => leftOf(family)).toEqual([])
  })

  test('ends in good order at Ctrl-C while a leader is frozen', async () => {
    const { directory, file } = customersDue('2024-01-31')
    const flags = ['--no-page', '--freeze-leader', '1', '--candidates', '2', '--time-scale', '1', '--customers', file]
    const { child, output, ended } = startProgram(whole, directory, flags)
    await expect.poll(() => output.stdout, TO_START).toContain('leader frozen') // for 16 seconds
    const family = familyOf(child.pid)
    expect(family.some((pid) => stateOf(pid) === 'T')).toBe(true)
    child.kill('SIGINT')
    await ended
    expect(output.stdout).toContain('cut short')
    await expect.poll(() => leftOf(family)).toEqual([])
    expect(readdirSync(directory).filter((name) => name.startsWith('tenure-'))).toEqual([])
  })

  test('ends with 3 when what it was asked for did not happen', async () => {
    const { directory, file } = customersDue('2099-01-31')
    const flags = ['--kill-leader', '1', '--ticks', '1', '--candidates', '2', '--customers', file]
    const { output, ended } = start(directory, ...flags)
    expect(await ended).toBe(3)
    expect(output.stdout).toContain('? The leader of tick 1 was not killed: the tick charged too little.')
    expect(output.stdout).not.toContain('✓')
  })

  test('does what a scenario file says, and says what of it could not be done', async () => {
    const { directory, file } = customersDue('2099-01-31')
    const scenario = scenarioFile(directory, [
      { tick: 1, do: 'addCandidate' },
      { tick: 1, do: 'thawLeader' },
      { tick: 2, do: 'killLeader' },
    ])
    const { output, ended } = start(
      directory,
      '--ticks',
      '1',
      '--candidates',
      '2',
      '--scenario',
      scenario,
      '--customers',
      file,
    )
    expect(await ended).toBe(3)
    expect(output.stdout).toContain('2 stood by: 2 held')
    expect(output.stdout).toContain('1 of 1 tick completed, by one of 3 candidates')
    expect(output.stdout).toContain('? Tick 1, thawLeader: Nobody is frozen.')
    expect(output.stdout).toContain('? Tick 2, killLeader: the run ended before it.')
  })

  test.each([
    ['is missing', () => 'missing.json', /^--scenario \S*missing\.json: .*no such file/],
    ['cannot be read', (directory: string) => directory, /^--scenario \S+: .*directory/],
    [
      'is no JSON',
      (directory: string) => scenarioFile(directory, 'tick 2: freeze'),
      /^--scenario \S*acts\.json: .*not valid JSON/,
    ],
    [
      'asks for what cannot be done',
      (directory: string) => scenarioFile(directory, [{ tick: 2, do: 'freeze' }]),
      /^--scenario \S*acts\.json: Fault 1 of the scenario: "do" must be one of killLeader, .*, but is "freeze"/,
    ],
    [
      'names a candidate that is not there',
      (directory: string) => scenarioFile(directory, [{ tick: 2, do: 'cutOff', candidate: 9 }]),
      /^Tick 2, cutOff: there is no candidate 9, there are 4/,
    ],
  ])('starts nothing when the scenario file %s', async (_, fileIn, message) => {
    const { directory } = customersDue('2099-01-31')
    const { output, ended } = start(directory, '--scenario', fileIn(directory))
    expect(await ended).toBe(2)
    expect(output.stderr).toMatch(message)
    expect(output.stderr).not.toMatch(/^ +at /m)
    expect(output.stdout).toBe('')
  })

  test('starts nothing when a flag is wrong', async () => {
    const { output, ended } = start(tmpdir(), '--tick', '5')
    expect(await ended).toBe(2)
    expect(output.stderr).toContain('(Did you mean --ticks?)')
    expect(output.stdout).toBe('')
  })

  test('repeats what it was given without control characters: a flag, a name in a file', async () => {
    const { directory, file } = customersDue('2099-01-31')
    const flag = start(directory, '--\u001b[31mred\u0007')
    writeFileSync(file, `${HEADER}\nc-1,Ada,basic,month,999,E\u001b[2JUR\u202e,2099-01-31,Europe/Berlin\n`)
    const row = start(directory, '--customers', file)
    const scenario = start(directory, '--scenario', scenarioFile(directory, [{ tick: 1, do: '\u001b]0;owned\u0007' }]))
    for (const { output, ended } of [flag, row, scenario]) {
      expect(await ended).toBe(2)
      expect(output.stderr).not.toBe('')
      expect(output.stderr.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\u202e]/u)
    }
  })

  test('starts nothing when the customers file is wrong', async () => {
    const { output, ended } = start(tmpdir(), '--customers', 'missing.csv')
    expect(await ended).toBe(2)
    expect(output.stderr).toContain('missing.csv')
    expect(output.stdout).toBe('')
  })
})
