import { BatchWriteCommand, PutCommand, TransactWriteCommand } from '@aws-sdk/lib-dynamodb'
import { describe, expect, test } from 'vitest'
import { withLease } from '../../../functions/election/index.ts'
import type { Effect, Entry } from '../../../infra/local/observe/entries.ts'
import type { TryOutcome } from '../../../infra/local/observe/outcome.ts'
import {
  dropReply,
  dropRequest,
  jsonReply,
  NEXT_TICK,
  NOW_MS,
  put,
  ROWS,
  replacement,
  TICK,
  type Wire,
  wire,
} from './wire.ts'

const WORK = { staleWritesRefused: 0 }
const completed = (fencingToken: number): TryOutcome => ({ status: 'completed', fencingToken, work: WORK })
const KILLED = { errorType: 'Runtime.ExitError', errorMessage: 'killed' }
const FAILED: TryOutcome = { status: 'failed', error: KILLED, logs: [], work: WORK }

const of = <Kind extends Entry['kind']>(entries: readonly Entry[], kind: Kind) =>
  entries.filter((entry): entry is Extract<Entry, { kind: Kind }> => entry.kind === kind)
const kindsOf = (entries: readonly Entry[]) => entries.map(({ kind }) => kind)
const effectsIn = (entries: readonly Entry[]) =>
  of(entries, 'effect').map(({ token, verdict, what }: Effect) => [token, verdict, what])
type Replacement = Awaited<ReturnType<typeof replacement>>
const NEVER = { ...put(), ConditionExpression: 'attribute_exists(nothing)' }

/** A wire on which the invocations `a`, `b` … have started. */
function started(...requestIds: readonly string[]) {
  const scene = wire()
  scene.start(...requestIds)
  return { ...scene, stepsOf: (tenure: number) => scene.recorder.logs.get(tenure)?.steps ?? [] }
}

describe('a tenure', () => {
  test('is recorded from its beginning to its end, with its token, tick, times and effects', async () => {
    const { recorder, lead, entries, exchanges } = started('a')
    const { lease, finish } = await lead('a')
    await lease.renew()
    await lease.saveCheckpoint({ upTo: 7 })
    await lease.send(put())
    await finish()
    const token = lease.fencingToken
    recorder.invocationEnded('a', completed(token))
    const common = { atMs: NOW_MS, tenure: 1 }
    const sent = { candidate: 1, invocation: 'a/0' }
    const expiresAtMs = expect.any(Number)
    const effect = { token, candidate: 1, verdict: 'accepted', what: `PutItem of ${ROWS}`, times: 1 }
    expect(entries).toEqual([
      { kind: 'invoked', atMs: NOW_MS, ...sent, tick: TICK, retry: 0 },
      { kind: 'began', ...common, token, ...sent, tick: TICK, expiresAtMs, replaced: undefined },
      { kind: 'renewed', ...common, expiresAtMs },
      { kind: 'renewed', ...common, expiresAtMs },
      { kind: 'effect', ...common, ...effect },
      { kind: 'ended', ...common, how: 'completed' },
      { kind: 'done', atMs: NOW_MS, ...sent, status: 'completed' },
    ])
    const requested = exchanges.map(({ call }) => Object(call.body)['ExpressionAttributeValues']?.[':expiresAt']?.['N'])
    const recorded = entries.flatMap((entry) => ('expiresAtMs' in entry ? [String(entry.expiresAtMs)] : []))
    expect(recorded).toEqual(requested.filter((ms) => ms !== undefined))
  })

  test('that is released, and one whose task failed, end so, and replace no other', async () => {
    const { lead, optionsOf, entries } = started('a', 'b')
    await withLease(optionsOf('a'), (lease) => lease.release())
    await (await lead('b')).fail(new Error('no'))
    const ends = [
      { tenure: 1, how: 'released' },
      { tenure: 2, how: 'failed' },
    ]
    expect(of(entries, 'ended')).toMatchObject(ends)
    expect(of(entries, 'began').map(({ replaced }) => replaced)).toEqual([undefined, undefined])
  })

  test('has the writes that it guards, and those of the transaction that completes it', async () => {
    const { lead, entries } = started('a')
    const { lease, finish } = await lead('a')
    await lease.transact([{ Put: put('1') }, { Put: put('2') }])
    await lease.complete([{ Put: put('3') }])
    await finish()
    const effect = [lease.fencingToken, 'accepted', `Put of ${ROWS} in a transaction`]
    expect(effectsIn(entries)).toEqual([effect, effect, effect])
    expect(entries.at(-1)).toMatchObject({ kind: 'ended', how: 'completed' })
  })
})

describe('a leader that is replaced', () => {
  test('has its fenced writes and its completion refused, each counted by itself, and its successor named', async () => {
    const { old, current, entries, recorder } = await replacement()
    const [before, token] = [old.lease.fencingToken, current.lease.fencingToken]
    expect(of(entries, 'began')).toMatchObject([
      { token: before, replaced: undefined },
      { token, candidate: 2, replaced: 1 },
    ])
    await current.lease.send(put())
    await expect(old.lease.send(put())).rejects.toThrow('already written under token')
    const result = `refused: token ${token} has taken over`
    expect(recorder.logs.get(1)?.steps.at(-1)).toMatchObject({ result, answer: { Item: { id: { S: '1' } } } })
    expect(recorder.staleRefused()).toBe(1)
    await old.finish()
    expect([recorder.staleRefused(), recorder.lateCompletions()]).toEqual([1, 1])
    recorder.invocationEnded('a', FAILED)
    expect(recorder.leader()?.requestId).toBe('b')
    await current.finish()
    expect(effectsIn(entries)).toEqual([
      [token, 'accepted', `PutItem of ${ROWS}`],
      [before, 'refused', `PutItem of ${ROWS}`],
      [before, 'refused', 'the completion of its tick'],
    ])
    expect(of(entries, 'ended')).toMatchObject([{ tenure: 2, how: 'completed' }])
  })

  const sendUnfenced = ({ clientOf }: Wire, Item: object = put().Item) =>
    clientOf('a').send(new PutCommand({ TableName: ROWS, Item: { ...Item } }))
  test.each<[string, (scene: Replacement) => Promise<unknown>, readonly (readonly [string, string])[]]>([
    [
      'a guarded transaction',
      ({ old }) => old.lease.transact([{ Put: put('1') }, { Put: put('2') }]),
      Array(2).fill(['refused', `Put of ${ROWS} in a transaction`]),
    ],
    ['a renewal', ({ old }) => old.lease.renew(), []],
    ['a release', ({ old }) => old.fail(new Error('no')), []],
    ['a write without a fence', (scene) => sendUnfenced(scene), [['unguarded', `PutItem of ${ROWS}`]]],
    [
      'a batch, which cannot have a fence',
      ({ clientOf }) =>
        clientOf('a').send(
          new BatchWriteCommand({
            RequestItems: { [ROWS]: ['1', '2'].map((id) => ({ PutRequest: { Item: { id } } })) },
          }),
        ),
      Array(2).fill(['unguarded', `BatchWriteItem of ${ROWS}`]),
    ],
    [
      'a transaction without guard, one of whose writes has a fence',
      ({ clientOf, old }) =>
        clientOf('a').send(
          new TransactWriteCommand({ TransactItems: [{ Put: old.lease.fence(put('1')) }, { Put: put('2') }] }),
        ),
      [
        ['accepted', `Put of ${ROWS} in a transaction, though it is replaced`],
        ['unguarded', `Put of ${ROWS} in a transaction`],
      ],
    ],
    [
      'a fenced write of a row that no newer leader wrote',
      ({ old }) => old.lease.send(put()),
      [['accepted', `PutItem of ${ROWS}, though it is replaced`]],
    ],
    ['a fenced write that its own condition refuses', ({ old }) => old.lease.send(NEVER), []],
    [
      'an unfenced write that its own condition refuses',
      ({ clientOf }) => clientOf('a').send(new PutCommand(NEVER)),
      [],
    ],
    ['a write that fails for another reason', (scene) => sendUnfenced(scene, {}), []],
  ])('sends %s, and only what the fence refused or nothing guarded is stale', async (_, send, effects) => {
    const scene = await replacement()
    const before = scene.entries.length
    await send(scene).catch(() => undefined)
    const { fencingToken } = scene.old.lease
    expect(scene.entries.slice(before)).toHaveLength(effects.length)
    expect(effectsIn(scene.entries)).toEqual(effects.map((effect) => [fencingToken, ...effect]))
    const times = (wanted: string) => effects.filter(([verdict]) => verdict === wanted).length
    expect(scene.recorder.staleRefused()).toBe(times('refused'))
    expect(scene.recorder.unguardedWrites()).toEqual(times('unguarded') > 0 ? { [ROWS]: times('unguarded') } : {})
  })
})

test('a write that was on its way when another candidate took over is not stale', async () => {
  const { inject, lead, clientOf, expire, recorder, entries } = started('a', 'b')
  const { finish } = await lead('a')
  inject(async (_, forward) => {
    const reply = await forward()
    await expire()
    await (await lead('b')).finish()
    return reply
  })
  await clientOf('a').send(new PutCommand(put()))
  await finish()
  expect(effectsIn(entries).map(([, verdict]) => verdict)).not.toContain('unguarded')
  expect(recorder.unguardedWrites()).toEqual({})
})

test('statements of PartiQL by a replaced leader are not guarded, except those that failed in their batch', async () => {
  const { recorder } = await replacement()
  const Statements = ['DELETE FROM a', 'UPDATE b SET c=1'].map((Statement) => ({ Statement }))
  const call = { service: 'dynamodb', operation: 'BatchExecuteStatement', target: '', requestId: 'a' } as const
  const Responses = [{ Error: { Code: 'ConditionalCheckFailed' } }, {}]
  await recorder.atService({ ...call, body: { Statements } }, async () => jsonReply({ Responses }))
  expect(recorder.unguardedWrites()).toEqual({ b: 1 })
})

test('a leader that still leads has no stale write by a condition that does not hold', async () => {
  const { lead, entries, recorder, stepsOf } = started('a')
  const { lease, finish } = await lead('a')
  await expect(lease.send(NEVER)).rejects.toThrow('conditional request failed')
  await expect(lease.transact([{ Put: NEVER }])).rejects.toThrow('cancelled')
  await finish()
  expect(of(entries, 'effect')).toEqual([])
  expect(recorder.staleRefused()).toBe(0)
  expect(stepsOf(1).map(({ result }) => result)).toContain('refused: its condition does not hold')
})

test('a candidate that stands by has only its end', async () => {
  const { lead, optionsOf, recorder, entries } = started('a', 'b')
  const { finish } = await lead('a')
  await withLease(optionsOf('b'), () => {})
  recorder.invocationEnded('b', { status: 'standby', reason: 'held' })
  await finish()
  expect(kindsOf(entries)).toEqual(['invoked', 'invoked', 'began', 'done', 'ended'])
  expect(of(entries, 'done')).toMatchObject([{ candidate: 2, status: 'standby', reason: 'held' }])
})

test('a candidate with two leases ends each by itself, and leads none once its invocation has ended', async () => {
  const { lead, entries, recorder } = started('a')
  const outer = await lead('a', { lease: 'outer' })
  const inner = await lead('a', { lease: 'inner' })
  await outer.lease.renew()
  expect(of(entries, 'renewed')).toMatchObject([{ tenure: 1 }])
  await inner.finish()
  expect(of(entries, 'ended')).toMatchObject([{ tenure: 2 }])
  expect(recorder.leader()).toMatchObject({ tenure: 1 })
  recorder.invocationEnded('a', FAILED)
  expect(recorder.leader()).toBeUndefined()
  await outer.finish()
})

test('of two candidates with a lease each, both lead, and neither replaces the other', async () => {
  const { lead, entries, recorder } = started('a', 'b')
  expect(recorder.leader()).toBeUndefined()
  const one = await lead('a', { lease: 'billing-1' })
  const other = await lead('b', { lease: 'billing-2' })
  expect(of(entries, 'began').map(({ replaced }) => replaced)).toEqual([undefined, undefined])
  expect(recorder.leader()).toMatchObject({ requestId: 'a', candidate: 1, token: one.lease.fencingToken })
  expect(['a', 'b', 'c'].map((id) => recorder.isLeading(id))).toEqual([true, true, false])
  for (const { lease } of [one, other]) await expect(lease.send(NEVER)).rejects.toThrow('conditional')
  await one.finish()
  expect(recorder.leader()?.requestId).toBe('b')
  await other.finish()
  expect(recorder.leader()).toBeUndefined()
  expect(of(entries, 'ended')).toHaveLength(2)
  expect(recorder.staleRefused()).toBe(0)
})

describe('if a reply is lost', () => {
  test('of any request, it counts once, and the log shows the loss', async () => {
    const { inject, lead, entries, stepsOf } = started('a')
    inject(dropReply)
    const { lease, finish } = await lead('a')
    inject(dropReply)
    await lease.send(put()) // the client repeats it
    inject(dropReply)
    expect(await finish()).toMatchObject({ status: 'completed' })
    expect(kindsOf(entries)).toEqual(['invoked', 'began', 'effect', 'ended'])
    expect(of(entries, 'effect')).toMatchObject([{ verdict: 'accepted' }])
    const [, acquired] = stepsOf(1)
    expect(acquired?.result).toBe(`granted, with token ${lease.fencingToken}; but the reply was lost`)
    expect(stepsOf(1)).toHaveLength(7)
  })

  test('of a completion after which another candidate leads, the refused repetition is no stale write', async () => {
    const { inject, lead, recorder, entries } = started('a', 'b')
    const first = await lead('a')
    const next: { tenure?: Awaited<ReturnType<typeof lead>> } = {}
    inject(async (_, forward) => {
      await forward()
      next.tenure = await lead('b', { tick: NEXT_TICK })
      return 'hangUp'
    })
    await first.finish()
    await next.tenure?.finish()
    expect(of(entries, 'began')).toHaveLength(2)
    expect(of(entries, 'effect')).toEqual([])
    expect(recorder.staleRefused()).toBe(0)
  })
})

test('a request that never arrived changed nothing, and the log says so', async () => {
  const { inject, lead, entries, stepsOf } = started('a')
  inject(dropRequest)
  const { lease, finish } = await lead('a')
  inject(dropRequest)
  await finish()
  expect(kindsOf(entries)).toEqual(['invoked', 'began', 'ended'])
  const granted = `granted, with token ${lease.fencingToken}`
  const results = stepsOf(1).map(({ result }) => result)
  expect(results).toEqual([undefined, 'never arrived', granted, 'never arrived', 'done'])
  expect(stepsOf(1)[1]).not.toHaveProperty('answer')
})

test('a request that fails on its way fails for the function too', async () => {
  const { inject, clientOf, lead, stepsOf } = started('a')
  inject(() => Promise.reject(new Error('unreachable')))
  await expect(clientOf('a').send(new PutCommand(put()))).rejects.toThrow('unreachable')
  await (await lead('a')).finish()
  expect(stepsOf(1)[1]).toMatchObject({ result: 'never arrived' })
})

describe('the log of a tenure', () => {
  test('has each request and its answer, also those before the grant', async () => {
    const { entries, recorder, lead, exchanges, clientOf, stepsOf } = started('a')
    await clientOf('a').send(new PutCommand(put('before')))
    const { lease, finish } = await lead('a')
    await lease.send(put())
    await finish()
    recorder.invocationEnded('a', completed(lease.fencingToken))
    expect(stepsOf(1).map(({ description }) => description)).toEqual([
      `Invoked for the tick ${TICK}`,
      `Puts a row into ${ROWS}`,
      expect.stringMatching(/^Requests the lease until \d\d:\d\d:\d\d\.\d\d\d$/),
      `Puts a row into ${ROWS}, unless a newer leader has written it`,
      'Completes the tick',
      'Returns; its tick is completed',
    ])
    const sent = stepsOf(1).filter(({ request }) => request !== undefined)
    expect(sent.map(({ request, answer }) => ({ request, answer }))).toEqual(
      exchanges.map(({ call, reply }) => ({ request: call.body, answer: JSON.parse(reply.body) })),
    )
    for (const step of sent) expect(step).toMatchObject({ atMs: NOW_MS, tookMs: 0, result: expect.any(String) })
    expect(of(entries, 'effect')).toHaveLength(1) // the earlier row is no leader's
  })

  test('has the faults injected into its invocation, and how it failed', async () => {
    const { recorder, lead, entries, stepsOf } = started('a')
    const { fail } = await lead('a')
    recorder.faultInjected('frozen', { requestId: 'a' })
    recorder.faultInjected('all slow')
    recorder.faultInjected('cut off', { candidate: 3 })
    await fail(new Error('no'))
    recorder.invocationEnded('a', FAILED, { retryInMs: 500 })
    const faults = stepsOf(1).filter(({ isFault }) => isFault === true)
    expect(faults).toEqual([{ atMs: NOW_MS, description: 'frozen', isFault: true }])
    expect(stepsOf(1).at(-1)).toMatchObject({ description: 'Fails with Runtime.ExitError: killed' })
    expect(of(entries, 'fault')).toEqual([
      { kind: 'fault', atMs: NOW_MS, candidate: 1, description: 'frozen' },
      { kind: 'fault', atMs: NOW_MS, candidate: undefined, description: 'all slow' },
      { kind: 'fault', atMs: NOW_MS, candidate: 3, description: 'cut off' },
    ])
    expect(of(entries, 'done')).toMatchObject([{ atMs: NOW_MS, retryAtMs: NOW_MS + 500 }])
  })

  test('of a retry by Lambda is separate from that of the first attempt', async () => {
    const { lead, recorder, entries, expire, stepsOf } = started('a')
    const first = await lead('a')
    recorder.invocationEnded('a', FAILED)
    await expire()
    recorder.invocationStarted('a', 1, TICK, 1)
    const second = await lead('a', { candidate: 'a again' })
    expect(stepsOf(1)).toHaveLength(3)
    expect(stepsOf(2)[0]?.description).toBe(`Retried by Lambda for the tick ${TICK}`)
    expect(of(entries, 'began').map(({ invocation }) => invocation)).toEqual(['a/0', 'a/1'])
    await second.finish()
    await first.finish()
  })
})

test.each([
  [{ statusCode: 200 }, 1],
  [{ statusCode: 402 }, 0],
  [{ errorType: 'RangeError' }, 0],
])('a charge that the gateway answers with %j is counted as %d effects', async (answer, effects) => {
  const { lead, askGateway, entries } = started('a')
  const { finish } = await lead('a')
  await askGateway('a', 'POST', answer)
  await finish()
  expect(of(entries, 'effect').map(({ what }) => what)).toEqual(Array(effects).fill('charge at the gateway'))
})

test('requests of other functions are not recorded', async () => {
  const { lead, entries, recorder } = wire()
  await (await lead('gateway')).finish()
  recorder.invocationEnded('gateway', FAILED)
  expect(entries).toEqual([])
  expect(recorder.leader()).toBeUndefined()
  expect(recorder.candidateOf('gateway')).toBeUndefined()
  expect(recorder.observations('gateway')).toBeUndefined()
})

test('old attempts that have ended are forgotten, and open ones are kept', () => {
  const { recorder } = wire()
  recorder.invocationStarted('open', 1, TICK, 0)
  for (let number = 1; number <= 600; number += 1) {
    recorder.invocationStarted(`over ${number}`, 2, TICK, 0)
    recorder.invocationEnded(`over ${number}`, { status: 'standby', reason: 'held' })
  }
  expect(['open', 'over 101', 'over 102'].map((id) => recorder.candidateOf(id))).toEqual([1, undefined, 2])
})
