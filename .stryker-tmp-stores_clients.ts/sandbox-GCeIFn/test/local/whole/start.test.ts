/** `npm start` as a process: what it prints, how it ends, and that nothing is left behind. */
// @ts-nocheck

import { type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { isAlive, stateOf } from '../fixtures/processes.ts'

const PROGRAM = fileURLToPath(new URL('../../../infra/local/start.ts', import.meta.url))
const HEADER = 'customer,name,plan,interval,priceMinor,currency,dueDate,timeZone'

/** A directory of its own for each test, with the CSV file of one customer, due on that day. */
function customersDue(dueDate: string) {
  const directory = mkdtempSync(join(tmpdir(), 'tenure-test-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const file = join(directory, 'customers.csv')
  writeFileSync(file, `${HEADER}\nc-1,Ada,basic,month,999,EUR,${dueDate},Europe/Berlin\n`)
  return { directory, file }
}

function scenarioFile(directory: string, scenario: unknown): string {
  const file = join(directory, 'faults.json')
  writeFileSync(file, typeof scenario === 'string' ? scenario : JSON.stringify(scenario))
  return file
}

interface Started {
  readonly child: ChildProcessByStdio<null, Readable, Readable>
  readonly output: { stdout: string; stderr: string }
  /** Settles with the exit code when the output is complete. */
  readonly ended: Promise<number | null>
}

function start(directory: string, flags: string): Started {
  const env = { ...process.env, TMPDIR: directory }
  const argv = [PROGRAM, ...flags.split(' ')]
  const child = spawn(process.execPath, argv, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  onTestFinished(() => void child.kill('SIGKILL')) // if the test fails early
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text
    })
  }
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

const tenureFilesIn = (directory: string) => readdirSync(directory).filter((name) => name.startsWith('tenure-'))
const expectNoneLeftOf = (family: readonly number[]) => expect.poll(() => family.filter(isAlive)).toEqual([])

/** Synthesizing takes seconds, and many when other tests keep the machine busy. */
const TO_START = { timeout: 90_000 }

describe('npm start', { timeout: 120_000 }, () => {
  test('runs ticks until the present, prints one JSON object as the last line, and cleans up', async () => {
    const { directory, file } = customersDue('2099-01-31')
    const { child, output, ended } = start(
      directory,
      `--no-page --ticks 3 --every 0s --time-scale 1 --json --customers ${file}`,
    )
    await expect.poll(() => output.stderr, TO_START).toMatch(/Hourly-\w+-4$/m)
    const family = familyOf(child.pid)
    expect(await ended).toBe(0)
    const summary = JSON.parse(output.stdout)
    const { ticks } = summary
    expect([1, 2]).toContain(ticks) // two if an hour ended meanwhile
    expect(summary).toEqual({
      ...{ verdict: 'right', ticks, candidates: 4, completed: ticks, completedTwice: 0, standby: 3 * ticks, failed: 0 },
      ...{ tookOver: 0, charges: 0, duplicateCharges: 0, replayedRequests: 0, dueNotCharged: 0, declined: 0 },
      ...{ wrongCharges: 0, lostUpdates: 0, staleWritesRefused: 0, completionsRefused: 0, unguardedWrites: {} },
    })
    expect(output.stderr).toContain('The next tick lies in the future')
    await expectNoneLeftOf(family)
    expect(tenureFilesIn(directory)).toEqual([])
  })

  test.each([
    ['ends in good order at Ctrl-C', 0, (child: Started['child']) => child.kill('SIGINT'), /each by one of 2/],
    ['ends in good order when its reader is gone', 0, ({ stdout }: Started['child']) => stdout.destroy(), /./],
    ['leaves no process behind when it is killed', null, (child: Started['child']) => child.kill('SIGKILL'), /./],
  ])('%s', async (_, exitCode, stop, text) => {
    const { directory, file } = customersDue('2024-01-31')
    const flags = `--every 10ms --candidates 2 --customers ${file}`
    const { child, output, ended } = start(directory, flags)
    await expect.poll(() => output.stdout, TO_START).toMatch(/\n +2 /)
    expect(output.stdout).toMatch(/^Watch the election, and break it: http:\/\/127\.0\.0\.1:\d+\/?\S*$/m)
    const family = familyOf(child.pid)
    expect(family.length).toBeGreaterThanOrEqual(5) // itself, the watchdog, DynamoDB Local, two environments
    stop(child)
    expect(await ended).toBe(exitCode)
    expect(output.stdout).toMatch(text)
    expect(output.stderr).not.toContain('EPIPE')
    await expectNoneLeftOf(family)
  })

  test('ends in good order at Ctrl-C while a leader is frozen', async () => {
    const { directory, file } = customersDue('2024-01-31')
    const flags = `--no-page --freeze-leader 1 --candidates 2 --time-scale 1 --customers ${file}`
    const { child, output, ended } = start(directory, flags)
    await expect.poll(() => output.stdout, TO_START).toContain('leader frozen') // for 16 seconds
    const family = familyOf(child.pid)
    expect(family.some((pid) => stateOf(pid) === 'T')).toBe(true)
    child.kill('SIGINT')
    await ended
    expect(output.stdout).toContain('cut short')
    await expectNoneLeftOf(family)
    expect(tenureFilesIn(directory)).toEqual([])
  })

  test('--standing runs servers: a killed leader is replaced, one hands over by hand, all end clean', async () => {
    const { directory } = customersDue('2099-01-31')
    const { child, output, ended } = start(directory, '--standing 3 --json')
    const tenures = () =>
      [...output.stderr.matchAll(/candidate (\d) leads with token (\d+)/g)].map(([, candidate, token]) => ({
        ...{ candidate: Number(candidate), token: Number(token) },
      }))
    const led = async (nth: number) => {
      await expect.poll(() => tenures().length, TO_START).toBeGreaterThan(nth)
      return tenures()[nth] ?? { candidate: 0, token: 0 }
    }
    const inject = (fault: object) => {
      const { href, origin } = new URL(/http:\S+/.exec(output.stderr)?.[0] ?? '')
      const headers = { 'content-type': 'application/json', origin }
      return fetch(`${href}faults`, { method: 'POST', headers, body: JSON.stringify(fault) })
    }
    const first = await led(0)
    const family = familyOf(child.pid)
    await inject({ do: 'killLeader' })
    const second = await led(1)
    const other = [1, 2, 3].find((one) => one !== first.candidate && one !== second.candidate) ?? 0
    const isAsked = async () => (await inject({ do: 'handOver', candidate: other })).status
    await expect.poll(isAsked).toBe(204) // its row is written every two seconds
    expect(await led(2)).toMatchObject({ candidate: other })
    expect(tenures().map(({ token }) => token - first.token)).toEqual([0, 1, 2])
    const all = [...new Set([...family, ...familyOf(child.pid)])]
    child.kill('SIGINT')
    expect(await ended).toBe(0)
    const summary = JSON.parse(output.stdout)
    expect(summary).toMatchObject({ verdict: 'right', servers: 3, tenures: 3, staleAccepted: 0 })
    expect(summary.gaps).toMatchObject([
      { after: 'killed', candidate: first.candidate },
      { after: `asked to hand over to candidate-${other}`, candidate: second.candidate },
    ])
    await expectNoneLeftOf(all)
    expect(tenureFilesIn(directory)).toEqual([])
  })

  test('ends with 1 when something went wrong', async () => {
    const { directory, file } = customersDue('2024-01-31')
    const { output, ended } = start(directory, `--no-page --without lease --ticks 1 --customers ${file}`)
    expect(await ended).toBe(1)
    expect(output.stdout).toMatch(/✗ .*completed more than once/)
  })

  test('injects the faults of a scenario file, and ends with 3 when one did not happen', async () => {
    const { directory, file } = customersDue('2099-01-31')
    const scenario = scenarioFile(directory, [
      { tick: 1, do: 'addCandidate' },
      { tick: 1, do: 'thawLeader' },
      { tick: 2, do: 'killLeader' },
    ])
    const flags = `--no-page --kill-leader 1 --ticks 1 --candidates 2 --scenario ${scenario} --customers ${file}`
    const { output, ended } = start(directory, flags)
    expect(await ended).toBe(3)
    expect(output.stdout).not.toContain('✓')
    expect(output.stdout).toContain('? The leader of tick 1 was not killed: the tick had too few charges.')
    expect(output.stdout).toContain('2 standbys')
    expect(output.stdout).toContain('1 of 1 tick completed, by one of 3 candidates')
    expect(output.stdout).toMatch(/\? Tick 1, thawLeader: .*frozen\./)
    expect(output.stdout).toContain('? Tick 2, killLeader: the run ended before it.')
  })

  test.each([
    ['a scenario that is not JSON', 'tick 2: freeze', /^--scenario \S*faults\.json: .*not valid JSON/],
    ['a missing customers file', [], /missing\.csv/],
    ['control characters', [{ tick: 1, do: '\u001b]0;owned\u0007\u202e' }], /must be one of/],
  ])('starts nothing when it gets %s', async (_, scenario, message) => {
    const { directory } = customersDue('2099-01-31')
    const flags = `--scenario ${scenarioFile(directory, scenario)} --customers missing.csv`
    const { output, ended } = start(directory, flags)
    expect(await ended).toBe(2)
    expect(output.stderr).toMatch(message)
    expect(output.stderr).not.toMatch(/^ +at /m)
    expect(output.stderr.replaceAll('\n', '')).toMatch(/^[^\p{Cc}\u202e]+$/u)
    expect(output.stdout).toBe('')
  })
})
