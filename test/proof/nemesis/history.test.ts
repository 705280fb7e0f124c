import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type Event, openHistory, readHistory } from './history.ts'

const run = { kind: 'run', workload: 'fence', seed: 1, lease: 'l', leaseMs: 1_000, maxClockSkewMs: 100 } as const
const end = { kind: 'end', atMs: 99, additions: ['a'] } as const

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tenure-history-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

function write(name: string, ...events: readonly Event[]): void {
  const file = openHistory(directory, name)
  for (const event of events) file.write(event)
  file.close()
}

const report = (atMs: number) => ({ kind: 'began', who: 'w1', attempt: 'x', fencingToken: 1, op: 'a', atMs }) as const

it('a history is read from all its files, in the order of time', () => {
  write('network', run, end)
  write('w1', report(5), report(7))
  write('w2', report(6))
  expect(readHistory(directory)).toMatchObject({
    run,
    additions: ['a'],
    reports: [{ atMs: 5 }, { atMs: 6 }, { atMs: 7 }],
  })
})

it('a line in the middle of which a worker was killed is left out', () => {
  write('network', run, end)
  write('w1', report(5))
  appendFileSync(join(directory, 'w1.jsonl'), '{"kind":"began","wh')
  expect(readHistory(directory).reports).toHaveLength(1)
})

it('a run that was cut short is no history', () => {
  write('network', run)
  expect(() => readHistory(directory)).toThrow(/no beginning or no end/)
})
