// @ts-nocheck
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  type ElectionEvent,
  InvalidOptionError,
  LeaseLostError,
  StaleTokenError,
} from '../../functions/election/index.ts'
import { count, measureFor, milliseconds } from '../../functions/election/measurements.ts'
import { leaseMetrics } from '../../functions/election/metrics.ts'

const ofAnn = { lease: 'billing', candidate: 'ann', fencingToken: 7 }
const lost = new LeaseLostError('lost', { lease: 'billing' })
const stale = new StaleTokenError('stale', { lease: 'billing', fencingToken: 7 })

/** What Powertools writes, line by line. */
function written(write: () => void): Record<string, unknown>[] {
  const lines: string[] = []
  vi.spyOn(console, 'log').mockImplementation((line: unknown) => void lines.push(String(line)))
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
  write()
  // Powertools warns of what it was given and will not write.
  expect(warn).not.toHaveBeenCalled()
  return lines.map((line) => JSON.parse(line))
}
// Written by way of the console, where a test can see it.
beforeEach(() => {
  vi.stubEnv('POWERTOOLS_DEV', 'true')
  vi.stubEnv('POWERTOOLS_METRICS_DISABLED', 'false')
})
afterEach(() => {
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
})

describe('the metrics of a candidate', () => {
  it.each<[string, ElectionEvent, Record<string, unknown>, readonly string[]]>([
    ['standby, by reason', { kind: 'standby', ...ofAnn, reason: 'held' }, { standby: 1, reason: 'held' }, ['reason']],
    ['a lease that was lost', { kind: 'lost', ...ofAnn, error: lost }, { lost: 1 }, []],
    ['a refused write', { kind: 'staleWriteRefused', ...ofAnn, error: stale }, { staleWritesRefused: 1 }, []],
    ['a clock that is ahead', { kind: 'clockRead', ...ofAnn, offsetMs: 400 }, { clockSkew: 400 }, []],
    ['a clock that is behind', { kind: 'clockRead', ...ofAnn, offsetMs: -400 }, { clockSkew: 400 }, []],
  ])('count %s, for its table and its lease', (_, event, fields, alsoDimensions) => {
    const onEvent = leaseMetrics({ tableName: 'leases' })
    const lines = written(() => onEvent(event))
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatchObject({ table: 'leases', lease: 'billing', ...fields })
    expect(lines[0]?.['_aws']).toMatchObject({
      CloudWatchMetrics: [{ Namespace: 'Tenure', Dimensions: [['table', 'lease', ...alsoDimensions]] }],
    })
  })

  it('do not count elections, which the announcer counts', () => {
    const onEvent = leaseMetrics({ tableName: 'leases' })
    expect(written(() => onEvent({ kind: 'elected', ...ofAnn }))).toEqual([])
  })

  it('need to know which table', () => {
    expect(() => leaseMetrics({ tableName: undefined })).toThrow(InvalidOptionError)
    expect(() => leaseMetrics({ tableName: '' })).toThrow('need the name of the lease table, but got ""')
  })
})

it('measurements are one line, of the time they are given, and later ones of their own', () => {
  const measure = measureFor('leases')
  const lines = written(() => {
    measure('billing', [milliseconds('tickDuration', 20), count('elected')], { atMs: 1_795_000_000_000 })
    measure('reports', [milliseconds('tickDuration', 30)])
    measure('billing', [])
  })
  expect(lines).toHaveLength(2)
  expect(lines[0]).toMatchObject({ lease: 'billing', tickDuration: 20, elected: 1 })
  expect(lines[0]?.['_aws']).toMatchObject({ Timestamp: 1_795_000_000_000 })
  expect(lines[1]).toMatchObject({ lease: 'reports', tickDuration: 30 })
  expect(lines[1]?.['_aws']).not.toMatchObject({ Timestamp: 1_795_000_000_000 })
})
