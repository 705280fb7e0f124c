// @ts-nocheck
import { BatchWriteCommand, PutCommand, TransactWriteCommand } from '@aws-sdk/lib-dynamodb'
import { expect, test } from 'vitest'
import { type Lease, withLease } from '../../../functions/election/index.ts'
import type { Effect, Entry, TenureEntry } from '../../../infra/local/observe/entries.ts'
import type { TryOutcome } from '../../../infra/local/observe/outcome.ts'
import { dropReply, dropRequest, NEXT_TICK, NOW_MS, put, ROWS, replacement, TICK, type Wire, wire } from './wire.ts'

const FAILED: TryOutcome = {
  ...{ status: 'failed', error: { errorType: 'Runtime.ExitError', errorMessage: 'killed' } },
}
const KILLED = { name: 'Runtime.ExitError', message: 'killed' }

const of = <Kind extends Entry['kind']>(entries: readonly Entry[], kind: Kind) =>
  entries.filter((entry): entry is Extract<Entry, { kind: Kind }> => entry.kind === kind)
/** The latest entry of each tenure. */
const tenuresIn = (entries: readonly Entry[]): readonly TenureEntry[] => [
  ...new Map(of(entries, 'tenure').map((tenure) => [tenure.number, tenure])).values(),
]
const effectsIn = (entries: readonly Entry[]) =>
  of(entries, 'effect').map(({ token, verdict, what }: Effect) => [token, verdict, what])
type Replacement = Awaited<ReturnType<typeof replacement>>
const NEVER = { ...put(), ConditionExpression: 'attribute_exists(nothing)' }

/** A wire on which the invocations `a`, `b` … have started. */
function started(...requestIds: readonly string[]) {
  const scene = wire()
  scene.start(...requestIds)
  const { recorder } = scene
  return {
    ...scene,
    stepsOf: (tenure: number) => recorder.logs.get(tenure),
    leasesOf: (requestId: string) => recorder.observations(requestId).leases,
  }
}

const REQUESTED = { lease: 'billing', tick: TICK, leaseMs: 600_000 }

test('a tenure is recorded from its beginning to its end, with each request and its answer', async () => {
  const { recorder, lead, entries, exchanges, clientOf, stepsOf, leasesOf } = started('a')
  await clientOf('a').send(new PutCommand(put('before')))
  const { lease, finish } = await lead('a')
  const { fencingToken: token } = lease
  expect(leasesOf('a')).toEqual([{ ...REQUESTED, token }])
  await lease.renew()
  await lease.send(put())
  await lease.transact([{ Put: put('2') }, { Put: put('3') }])
  await finish()
  recorder.invocationEnded('a', { status: 'completed', fencingToken: token })
  const [tenure, ...others] = tenuresIn(entries)
  const ids = { number: 1, token, candidate: 1, tick: TICK, atMs: NOW_MS }
  const end = { end: 'completed', endedAtMs: NOW_MS, doneAtMs: NOW_MS, accepted: 3, refused: 0, unguarded: 0 }
  expect(tenure).toEqual({ kind: 'tenure', ...ids, ...end, expiresAtMs: expect.any(Number) })
  expect(others).toEqual([])
  const renewed = Object(exchanges[2]?.call.body)['ExpressionAttributeValues'][':expiresAt']['N']
  expect(String(tenure?.expiresAtMs)).toBe(renewed)
  const [what, inTransaction] = [`PutItem of ${ROWS}`, `Put of ${ROWS} in a transaction`]
  expect(effectsIn(entries)).toEqual([what, inTransaction, inTransaction].map((one) => [token, 'accepted', one]))
  expect(leasesOf('a')).toEqual([{ ...REQUESTED, token, ended: 'completed' }])

  expect(stepsOf(1).map(({ description }) => description)).toEqual([
    `Invoked for the tick ${TICK}`,
    `PutItem of ${ROWS}`,
    expect.stringMatching(/^Requests the lease until \d\d:\d\d:\d\d\.\d\d\d$/),
    expect.stringMatching(/^Renews the lease/),
    `PutItem of ${ROWS}, unless a newer leader has written it`,
    'Sends 2 writes of its own, if it still leads',
    'Completes the tick',
    'Returns; its tick is completed',
  ])
  const sent = stepsOf(1).filter(({ request }) => request !== undefined)
  expect(sent.map(({ request, answer }) => ({ request, answer }))).toEqual(
    exchanges.map(({ call, reply }) => ({ request: call.body, answer: JSON.parse(reply.body) })),
  )
  for (const step of sent) expect(step).toMatchObject({ atMs: NOW_MS, tookMs: 0, result: expect.any(String) })
})

test.each<[string, (lease: Lease) => Promise<unknown>]>([
  ['released', (lease) => lease.release()],
  ['completed', (lease) => lease.complete([{ Put: put() }])],
  ['failed', () => Promise.reject(new RangeError('no'))],
])('a tenure ends %s in the row, and its successor does not replace it', async (end, task) => {
  const { lead, optionsOf, entries, leasesOf } = started('a', 'b')
  await withLease(optionsOf('a'), task).catch(() => undefined)
  expect(tenuresIn(entries)).toMatchObject([{ end, endedAtMs: NOW_MS }])
  expect(leasesOf('a')).toMatchObject([{ ended: end }])
  await (await lead('b', { tick: NEXT_TICK })).finish()
  expect(tenuresIn(entries)).toMatchObject([{ end }, { candidate: 2, end: 'completed' }])
})

test('a replaced leader has its fenced writes and its completion refused, each counted by itself', async () => {
  const { old, current, entries, recorder } = await replacement()
  const [before, token] = [old.lease.fencingToken, current.lease.fencingToken]
  await current.lease.send(put())
  await expect(old.lease.send(put())).rejects.toThrow('already written under token')
  const result = `refused: token ${token} has taken over`
  expect(recorder.logs.get(1).at(-1)).toMatchObject({ result, answer: { Item: { id: { S: '1' } } } })
  expect(recorder.staleRefused()).toBe(1)
  await old.finish()
  expect([recorder.staleRefused(), recorder.lateCompletions()]).toEqual([1, 1])
  recorder.invocationEnded('a', FAILED)
  expect(recorder.leader()).toBe('b')
  await current.finish()
  expect(effectsIn(entries)).toEqual([
    [token, 'accepted', `PutItem of ${ROWS}`],
    [before, 'refused', `PutItem of ${ROWS}`],
    [before, 'refused', 'the completion of its tick'],
  ])
  expect(tenuresIn(entries)).toMatchObject([
    { token: before, end: 'takenOver', successor: token, endedAtMs: NOW_MS, doneAtMs: NOW_MS, refused: 2 },
    { token, candidate: 2, end: 'completed', accepted: 1 },
  ])
})

test('a server leads again and again, each time with a log of its own, until its process ends', async () => {
  const { recorder, lead, entries, stepsOf } = started()
  recorder.serverStarted('a', 1, 7)
  recorder.serverStarted('b', 2, 8)
  await (await lead('a')).lease.release()
  await (await lead('b')).lease.release()
  await lead('a')
  recorder.serverEnded('a', 'signal SIGKILL', ['Bye'])
  recorder.serverEnded('b', 'signal SIGKILL', [])
  expect(tenuresIn(entries)).toMatchObject([
    { candidate: 1, end: 'released' },
    { candidate: 2, end: 'released' },
    { candidate: 1, doneAtMs: NOW_MS, error: { name: 'Exit', message: 'signal SIGKILL' } },
  ])
  expect(stepsOf(1).map(({ description }) => description)).toEqual([
    'Process 7 starts',
    expect.stringMatching(/^Requests/),
    'Releases the lease',
  ])
  expect(stepsOf(3)).toMatchObject([
    { result: expect.stringMatching(/^granted/) },
    { description: 'The process ended: signal SIGKILL', trace: ['Bye'] },
  ])
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
  ['an unfenced write that its own condition refuses', ({ clientOf }) => clientOf('a').send(new PutCommand(NEVER)), []],
  ['a write that fails for another reason', (scene) => sendUnfenced(scene, {}), []],
])('a replaced leader sends %s: what the fence refused or nothing guarded is stale', async (_, send, effects) => {
  const scene = await replacement()
  const before = scene.entries.length
  await send(scene).catch(() => undefined)
  const { fencingToken } = scene.old.lease
  expect(effectsIn(scene.entries.slice(before))).toEqual(effects.map((effect) => [fencingToken, ...effect]))
  const times = (wanted: string) => effects.filter(([verdict]) => verdict === wanted).length
  const [accepted, refused, unguarded] = ['accepted', 'refused', 'unguarded'].map(times)
  expect(tenuresIn(scene.entries)[0]).toMatchObject({ accepted, refused, unguarded })
  expect(scene.recorder.staleRefused()).toBe(refused)
  expect(scene.recorder.unguardedWrites()).toEqual(unguarded === 0 ? {} : { [ROWS]: unguarded })
})

test('a write that was on its way when another candidate took over is not stale', async () => {
  const { meanwhile, lead, clientOf, expire, recorder, entries } = started('a', 'b')
  const { finish } = await lead('a')
  meanwhile(async () => {
    await expire()
    await (await lead('b')).finish()
  })
  await clientOf('a').send(new PutCommand(put()))
  await finish()
  expect(effectsIn(entries).map(([, verdict]) => verdict)).not.toContain('unguarded')
  expect(recorder.unguardedWrites()).toEqual({})
})

test('a candidate that stands by has only its end, and why it was refused is observed', async () => {
  const { lead, optionsOf, recorder, entries, leasesOf, start } = started('a', 'b')
  const { finish } = await lead('a')
  await withLease(optionsOf('b'), () => 'never')
  expect(leasesOf('b')).toEqual([{ ...REQUESTED, refusedAs: 'held' }])
  recorder.invocationEnded('b', { status: 'standby', reason: 'held' })
  expect(entries.slice(1)).toEqual([{ kind: 'standby', atMs: NOW_MS, candidate: 2, reason: 'held' }])
  await finish()
  start('b')
  await withLease(optionsOf('b'), () => 'never')
  expect(leasesOf('b')).toEqual([{ ...REQUESTED, refusedAs: 'tickDone' }])
})

test('a candidate with two leases ends each by itself, and leads none once its invocation has ended', async () => {
  const { lead, entries, recorder, leasesOf } = started('a')
  const outer = await lead('a', { lease: 'outer' })
  const inner = await lead('a', { lease: 'inner' })
  await inner.finish()
  expect(tenuresIn(entries).map(({ end }) => end)).toEqual([undefined, 'completed'])
  expect(leasesOf('a')).toMatchObject([
    { lease: 'outer', ended: undefined },
    { lease: 'inner', ended: 'completed' },
  ])
  expect(recorder.leader()).toBe('a')
  recorder.invocationEnded('a', FAILED)
  expect(recorder.leader()).toBeUndefined()
  await outer.finish()
})

test('of two candidates with a lease each, both lead, and neither replaces the other', async () => {
  const { lead, entries, recorder } = started('a', 'b')
  const one = await lead('a', { lease: 'billing-1' })
  const other = await lead('b', { lease: 'billing-2' })
  expect(['a', 'b', 'c'].map((id) => recorder.isLeading(id))).toEqual([true, true, false])
  for (const { lease } of [one, other]) await expect(lease.send(NEVER)).rejects.toThrow('conditional')
  await one.finish()
  expect(recorder.leader()).toBe('b')
  await other.finish()
  expect(tenuresIn(entries).map(({ end }) => end)).toEqual(['completed', 'completed'])
  expect(recorder.staleRefused()).toBe(0)
})

test('a request whose reply is lost counts once, and the log shows the loss', async () => {
  const { inject, lead, entries, stepsOf, leasesOf } = started('a')
  inject(dropReply)
  const { lease, finish } = await lead('a')
  inject(dropReply)
  await lease.send(put()) // the client repeats it
  inject(dropReply)
  expect(await finish()).toMatchObject({ status: 'completed' })
  expect(tenuresIn(entries)).toMatchObject([{ accepted: 1, refused: 0, end: 'completed' }])
  const [, acquired] = stepsOf(1)
  expect(acquired?.result).toBe(`granted, with token ${lease.fencingToken}; but the reply was lost`)
  expect(stepsOf(1)).toHaveLength(7)
  expect(leasesOf('a')).toEqual([{ ...REQUESTED, token: lease.fencingToken, ended: 'completed' }])
})

test('the repetition of a completion whose reply was lost is no stale write, though another one leads', async () => {
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
  expect(tenuresIn(entries)).toHaveLength(2)
  expect(of(entries, 'effect')).toEqual([])
  expect([recorder.staleRefused(), recorder.lateCompletions()]).toEqual([0, 0])
})

test('a request that never arrived is observed and changed nothing, and the log says so', async () => {
  const { inject, lead, entries, stepsOf, leasesOf } = started('a')
  inject(async () => {
    expect(leasesOf('a')).toEqual([REQUESTED])
    return 'hangUp'
  })
  const { lease, finish } = await lead('a')
  inject(dropRequest, () => Promise.reject(new Error('unreachable')))
  await finish()
  expect(tenuresIn(entries)).toMatchObject([{ end: 'completed' }])
  const granted = `granted, with token ${lease.fencingToken}`
  const results = stepsOf(1).map(({ result }) => result)
  expect(results).toEqual([undefined, 'never arrived', granted, 'never arrived', 'never arrived', 'done'])
  expect(stepsOf(1)[1]).not.toHaveProperty('answer')
})

test('an attempt that failed without leading has a log of its own', () => {
  const { recorder, entries, stepsOf } = started('a')
  recorder.invocationEnded('a', FAILED)
  expect(entries).toEqual([{ kind: 'failure', atMs: NOW_MS, number: 1, candidate: 1, tick: TICK, error: KILLED }])
  expect(stepsOf(1).at(-1)).toMatchObject({ description: 'Fails with Runtime.ExitError: killed' })
})

test('the log of a tenure has the faults injected into its invocation, and how it failed', async () => {
  const { recorder, lead, entries, stepsOf, expire } = started('a')
  const first = await lead('a')
  recorder.faultInjected('frozen', { requestId: 'a' })
  recorder.faultInjected('all slow')
  recorder.faultInjected('cut off', { candidate: 3 })
  recorder.invocationEnded('a', FAILED)
  expect(stepsOf(1).slice(-2)).toMatchObject([
    { atMs: NOW_MS, description: 'frozen', isFault: true },
    { description: 'Fails with Runtime.ExitError: killed' },
  ])
  expect(of(entries, 'fault')).toEqual([
    { kind: 'fault', atMs: NOW_MS, candidate: 1, description: 'frozen' },
    { kind: 'fault', atMs: NOW_MS, candidate: undefined, description: 'all slow' },
    { kind: 'fault', atMs: NOW_MS, candidate: 3, description: 'cut off' },
  ])
  expect(tenuresIn(entries)).toMatchObject([{ doneAtMs: NOW_MS, error: KILLED }])
  await expire()
  recorder.invocationStarted('a', 1, TICK, 1) // its log is separate
  const second = await lead('a', { candidate: 'a again' })
  expect([stepsOf(1).length, stepsOf(2)[0]?.description]).toEqual([4, `Retried by Lambda for the tick ${TICK}`])
  await second.finish()
  await first.finish()
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
  expect(recorder.leader() ?? recorder.candidateOf('gateway')).toBeUndefined()
  expect(recorder.observations('gateway')).toEqual({ leases: [], missingTables: [] })
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
