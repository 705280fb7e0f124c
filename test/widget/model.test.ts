import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { AttributeMap } from '../../functions/election/stores/row.ts'
import { leaseView } from '../../functions/widget/model.ts'
import { leaseRecord, MINUTE, NOW, reading, TICK, tenureRow, vacantRecord } from './rows.ts'

const view = (...given: Parameters<typeof reading>) => leaseView(reading(...given), NOW)

describe('The state of a lease', () => {
  test('Who holds it leads, for as long as it has not expired', () => {
    expect(view(leaseRecord())).toMatchObject({
      state: { kind: 'leading', candidate: 'worker-7', remainingMs: 9_400 },
      fencingToken: 42,
      tick: TICK,
    })
  })

  test('A holder that let it expire did not come back', () => {
    expect(view(leaseRecord({ expiresAtMs: NOW })).state).toEqual({
      kind: 'expired',
      candidate: 'worker-7',
      sinceMs: 0,
    })
  })

  test('A lease that ended is vacant, and works on no tick', () => {
    expect(view(vacantRecord())).toMatchObject({ state: { kind: 'vacant' }, tick: undefined, fencingToken: 42 })
  })

  test('A pause is over when its time is; until then a vacant lease is paused, and a leader goes on', () => {
    const pausedUntilMs = NOW + MINUTE
    expect(view(vacantRecord({ pausedUntilMs }))).toMatchObject({ state: { kind: 'paused', untilMs: pausedUntilMs } })
    expect(view(leaseRecord({ pausedUntilMs }))).toMatchObject({ state: { kind: 'leading' }, pausedUntilMs })
    expect(view(vacantRecord({ pausedUntilMs: NOW }))).toMatchObject({
      state: { kind: 'vacant' },
      pausedUntilMs: undefined,
    })
  })

  test('A lease without a row has not been used yet', () => {
    expect(view(undefined)).toMatchObject({ state: { kind: 'unused' }, tenures: [], lastCompletion: undefined })
  })

  test('What could not be read is said, and what could be is shown', () => {
    const { lease, history } = reading(undefined, [tenureRow(41)])
    const shown = leaseView({ lease, history, record: { ok: false, problem: 'Access denied' } }, NOW)
    expect(shown.state).toEqual({ kind: 'unreadable', problem: 'Access denied' })
    expect(shown.tenures).toMatchObject([{ fencingToken: 41, outcome: 'completed' }])
  })
})

describe('The last tenures', () => {
  test('They come in the order in which they began, the present one last', () => {
    const newestFirst = [5, 8].map((minutes, index) =>
      tenureRow(41 - index, { beganAtMs: { N: `${NOW - minutes * MINUTE}` } }),
    )
    const rows = [tenureRow(42, { outcome: undefined, endedAtMs: undefined }), ...newestFirst]
    const { tenures } = view(leaseRecord(), rows)
    expect(tenures.map(({ fencingToken, outcome }) => [fencingToken, outcome])).toEqual([
      [40, 'completed'],
      [41, 'completed'],
      [42, 'leading'],
    ])
  })

  test('The present tenure is shown before its history is written', () => {
    expect(view(leaseRecord()).tenures).toMatchObject([
      { fencingToken: 42, candidate: 'worker-7', beganAtMs: NOW - MINUTE, outcome: 'leading' },
    ])
  })

  test('An end that the history does not know yet is told by the lease row', () => {
    const behind = tenureRow(42, { outcome: undefined, endedAtMs: undefined })
    expect(view(vacantRecord({ endedBy: 'failed', errorName: 'GatewayError' }), [behind]).tenures).toMatchObject([
      { candidate: 'worker-42', outcome: 'failed', failure: 'GatewayError', endedAtMs: NOW - 5_000 },
    ])
  })

  test('A holder that did not come back was there until its lease expired, and its end is not known', () => {
    expect(view(leaseRecord({ expiresAtMs: NOW - MINUTE })).tenures).toMatchObject([
      { outcome: 'unknown', endedAtMs: NOW - MINUTE },
    ])
  })

  test('A leader elected between the two reads leads', () => {
    const newer = tenureRow(43, { outcome: undefined, endedAtMs: undefined })
    const { tenures } = view(vacantRecord(), [newer])
    expect(tenures.find(({ fencingToken }) => fencingToken === 43)?.outcome).toBe('leading')
  })

  test.each(['completed', 'released', 'failed', 'forced', 'takenOver'])(
    'The outcome %s is shown as such',
    (outcome) => {
      expect(view(undefined, [tenureRow(1, { outcome: { S: outcome } })]).tenures[0]?.outcome).toBe(outcome)
    },
  )

  test('An outcome that is missing, or that this version has no word for, is unknown', () => {
    for (const outcome of [undefined, { S: 'abdicated' }, { N: '1' }]) {
      expect(view(undefined, [tenureRow(1, { outcome })]).tenures[0]?.outcome).toBe('unknown')
    }
  })

  test('Rows that tell no time are counted and not drawn', () => {
    const rows = [tenureRow(1, { beganAtMs: undefined, endedAtMs: { S: 'yesterday' } }), tenureRow(2)]
    expect(view(undefined, rows)).toMatchObject({ tenures: [{ fencingToken: 2 }], unreadableRows: 1 })
  })

  test('Where older ones were not read, it is known from when on all are', () => {
    const { lease, record, history } = reading(undefined, [tenureRow(41)])
    const older = history.ok ? { ok: true as const, value: { ...history.value, hasMore: true } } : history
    expect(leaseView({ lease, record, history: older }, NOW).knownFromMs).toBe(NOW - 8 * MINUTE)
    expect(view(undefined, [tenureRow(41)]).knownFromMs).toBeUndefined()
  })

  test('No history row, however foreign, breaks the view', () => {
    const attribute = fc.oneof(
      fc.record({ S: fc.oneof(fc.string(), fc.constant('completed')) }),
      fc.record({ N: fc.oneof(fc.integer().map(String), fc.string(), fc.constantFrom('1e400', '8640000000000001')) }),
      fc.constantFrom<AttributeMap[string]>({ NULL: true }, { L: [] }, { SS: ['a'] }, { BOOL: false }),
    )
    const names = ['record', 'candidate', 'forTick', 'beganAtMs', 'endedAtMs', 'outcome', 'failure', 'successor']
    const rows = fc.array(fc.dictionary(fc.constantFrom(...names), attribute))
    fc.assert(
      fc.property(rows, (foreign) => {
        const { tenures } = view(leaseRecord(), foreign)
        for (const { beganAtMs } of tenures) expect(() => new Date(beganAtMs).toISOString()).not.toThrow()
      }),
    )
  })
})

describe('The last completion', () => {
  test('It is the tick that the lease row names, at the time that the history tells', () => {
    const completedTick = '2026-11-21T05:00:00.000Z'
    const rows = [tenureRow(41, { forTick: { S: completedTick } })]
    expect(view(leaseRecord({ completedTick }), rows).lastCompletion).toEqual({
      tick: completedTick,
      atMs: NOW - 7 * MINUTE,
    })
  })

  test('Just completed, it has the time of the lease row', () => {
    expect(view(vacantRecord()).lastCompletion).toEqual({ tick: TICK, atMs: NOW - 5_000 })
  })

  test('A tick of which no history is left has no time', () => {
    const completedTick = '2026-10-01T05:00:00.000Z'
    const ofAnotherTick = [tenureRow(41)]
    expect(view(leaseRecord({ completedTick }), ofAnotherTick).lastCompletion).toEqual({ tick: completedTick })
  })

  test('A lease without ticks has the time of its last completed tenure', () => {
    const { tick: _tick, ...record } = leaseRecord()
    expect(view(record, [tenureRow(41, { forTick: undefined })]).lastCompletion).toEqual({ atMs: NOW - 7 * MINUTE })
  })
})
