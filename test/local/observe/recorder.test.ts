import { PutCommand } from '@aws-sdk/lib-dynamodb'
import { describe, expect, test } from 'vitest'
import { type LeaseOptions, withLease } from '../../../functions/election/index.ts'
import { compose } from '../../../infra/local/faults/compose.ts'
import { dynamodbError } from '../../../infra/local/lambda-host/dynamodb-proxy.ts'
import type { Call, Interceptor, Reply } from '../../../infra/local/lambda-host/interceptor.ts'
import type { Effect, Entry, Happening } from '../../../infra/local/observe/entries.ts'
import type { TryOutcome } from '../../../infra/local/observe/outcome.ts'
import { createRecorder } from '../../../infra/local/observe/recorder.ts'
import { loseReply, NEXT_TICK, NOW_MS, neverArrives, TICK, wire } from './wire.ts'

const completed = (fencingToken: number): TryOutcome => ({
  status: 'completed',
  fencingToken,
  work: { staleWritesRefused: 0 },
})
const FAILED: TryOutcome = {
  status: 'failed',
  error: { errorType: 'Runtime.ExitError', errorMessage: 'killed' },
  logs: [],
  work: { staleWritesRefused: 0 },
}

const of = <Kind extends Entry['kind']>(entries: readonly Entry[], kind: Kind) =>
  entries.filter((entry): entry is Extract<Entry, { kind: Kind }> => entry.kind === kind)
const kindsOf = (entries: readonly Entry[]) => entries.map(({ kind }) => kind)
const effectOf = ({ token, verdict, what, times }: Effect) => ({ token, verdict, what, times })
/** Those alike are counted together, however many a slow machine has told together. */
function effectsIn(entries: readonly Entry[]) {
  const together = new Map<string, ReturnType<typeof effectOf>>()
  for (const { times, ...effect } of of(entries, 'effect').map(effectOf)) {
    const key = JSON.stringify(effect)
    together.set(key, { ...effect, times: times + (together.get(key)?.times ?? 0) })
  }
  return [...together.values()]
}

type Scene = Awaited<ReturnType<typeof wire>>

/** Candidate 1 leads as invocation `a`; then its lease runs out, and candidate 2 leads as `b`. */
async function replacement() {
  const scene = await wire()
  scene.woken('a', 1, TICK, 0)
  scene.woken('b', 2, TICK, 0)
  const old = await scene.lead('a')
  await scene.runOut()
  const now = await scene.lead('b')
  return { ...scene, old, now }
}

const put = ({ rows }: Pick<Scene, 'rows'>, id = '1') => ({ TableName: rows, Item: { id } })

describe('a tenure', () => {
  test('is told from its beginning to its end, with its token, tick, times and effects', async () => {
    const scene = await wire()
    const { entries, exchanges } = scene
    scene.woken('a', 1, TICK, 0)
    const { lease, finish } = await scene.lead('a')
    await lease.renew()
    await lease.saveCheckpoint({ upTo: 7 })
    await lease.send(put(scene))
    await finish()
    const token = lease.fencingToken
    scene.done('a', completed(token))
    const common = { atMs: NOW_MS, tenure: 1 }
    const sent = { candidate: 1, invocation: 'a/0' }
    const expiresAtMs = expect.any(Number)
    expect(entries).toEqual([
      { kind: 'woken', atMs: NOW_MS, ...sent, tick: TICK, retry: 0 },
      { kind: 'began', ...common, token, ...sent, tick: TICK, expiresAtMs, replaced: undefined },
      { kind: 'renewed', ...common, expiresAtMs },
      { kind: 'renewed', ...common, expiresAtMs },
      {
        kind: 'effect',
        ...common,
        token,
        candidate: 1,
        verdict: 'accepted',
        what: `PutItem of ${scene.rows}`,
        times: 1,
      },
      { kind: 'ended', ...common, how: 'completed' },
      { kind: 'done', atMs: NOW_MS, ...sent, status: 'completed' },
    ])
    const asked = exchanges.map(({ call }) => Object(call.body)['ExpressionAttributeValues']?.[':expiresAt']?.['N'])
    const told = entries.flatMap((entry) => ('expiresAtMs' in entry ? [String(entry.expiresAtMs)] : []))
    expect(told).toEqual(asked.filter((ms) => ms !== undefined))
    expect(scene.staleRefused()).toBe(0)
  })

  test('that gives its lease up is told so, and one whose task failed', async () => {
    const { lead, woken, entries } = await wire()
    woken('a', 1, TICK, 0)
    const released = await lead('a')
    await released.lease.release()
    await released.finish()
    woken('b', 2, TICK, 0)
    const failed = await lead('b')
    await failed.fail(new Error('no'))
    expect(of(entries, 'ended')).toEqual([
      { kind: 'ended', atMs: NOW_MS, tenure: 1, how: 'released' },
      { kind: 'ended', atMs: NOW_MS, tenure: 2, how: 'failed' },
    ])
    expect(of(entries, 'began').map(({ replaced }) => replaced)).toEqual([undefined, undefined])
  })

  test('that completes together with its effects in one transaction has both', async () => {
    const scene = await wire()
    scene.woken('a', 1, TICK, 0)
    const { lease, finish } = await scene.lead('a')
    await lease.complete([{ Put: put(scene) }])
    await finish()
    expect(scene.entries.slice(2)).toMatchObject([
      { kind: 'effect', verdict: 'accepted', what: `Put of ${scene.rows} in a transaction` },
      { kind: 'ended', how: 'completed' },
    ])
  })

  test('has the writes that it guards', async () => {
    const scene = await wire()
    scene.woken('a', 1, TICK, 0)
    const { lease, finish } = await scene.lead('a')
    await lease.transact([{ Put: put(scene, '1') }, { Put: put(scene, '2') }])
    await finish()
    expect(effectsIn(scene.entries)).toEqual([
      { token: lease.fencingToken, verdict: 'accepted', what: `Put of ${scene.rows} in a transaction`, times: 2 },
    ])
  })

  test('without ticks is told without one', async () => {
    const { optionsOf, woken, entries } = await wire()
    woken('a', 1, TICK, 0)
    const { tick: _, ...options } = optionsOf('a')
    await withLease(options, () => {})
    expect(of(entries, 'began')).toMatchObject([{ tick: undefined }])
    expect(of(entries, 'ended')).toMatchObject([{ how: 'completed' }])
  })
})

describe('a leader that is replaced', () => {
  test('is named by its successor', async () => {
    const { entries, old, now } = await replacement()
    expect(of(entries, 'began')).toMatchObject([
      { token: old.lease.fencingToken, replaced: undefined },
      { token: now.lease.fencingToken, candidate: 2, replaced: 1 },
    ])
  })

  test('has its fenced writes refused, and its completion, and each is counted', async () => {
    const scene = await replacement()
    const { old, now, entries, rows } = scene
    await now.lease.send(put(scene))
    await expect(old.lease.send(put(scene))).rejects.toThrow('already written under token')
    expect(scene.staleRefused()).toBe(1)
    await old.finish()
    expect(scene.staleRefused()).toBe(2)
    scene.done('a', FAILED)
    await now.finish()
    expect(effectsIn(entries)).toEqual([
      { token: now.lease.fencingToken, verdict: 'accepted', what: `PutItem of ${rows}`, times: 1 },
      { token: old.lease.fencingToken, verdict: 'refused', what: `PutItem of ${rows}`, times: 1 },
      { token: old.lease.fencingToken, verdict: 'refused', what: 'the completion of its tick', times: 1 },
    ])
    expect(of(entries, 'ended')).toMatchObject([{ tenure: 2, how: 'completed' }])
  })

  test('has all the writes of a guarded transaction refused', async () => {
    const scene = await replacement()
    const { old, entries, rows } = scene
    const items = [{ Put: put(scene, '1') }, { Put: put(scene, '2') }]
    await expect(old.lease.transact(items)).rejects.toThrow('no longer leads')
    scene.done('a', FAILED)
    expect(effectsIn(entries)).toEqual([
      { token: old.lease.fencingToken, verdict: 'refused', what: `Put of ${rows} in a transaction`, times: 2 },
    ])
    expect(scene.staleRefused()).toBe(2)
  })

  test('renews no more, and its refused renewal and release are no effects', async () => {
    const { old, entries, staleRefused, done } = await replacement()
    const before = entries.length
    await expect(old.lease.renew()).rejects.toThrow('no longer leads')
    await old.fail(new Error('no'))
    expect(entries.slice(before)).toEqual([])
    done('a', FAILED)
    expect(staleRefused()).toBe(0)
  })

  test('that writes without a fence is seen to', async () => {
    const scene = await replacement()
    await scene.clientOf('a').send(new PutCommand(put(scene)))
    scene.done('a', FAILED)
    expect(effectsIn(scene.entries)).toEqual([
      {
        token: scene.old.lease.fencingToken,
        verdict: 'accepted',
        what: `PutItem of ${scene.rows}, though it is replaced`,
        times: 1,
      },
    ])
    expect(scene.staleRefused()).toBe(0)
  })
})

test('a leader that still leads and meets a condition that does not hold has no stale write refused', async () => {
  const scene = await wire()
  scene.woken('a', 1, TICK, 0)
  const { lease, finish } = await scene.lead('a')
  const never = { ...put(scene), ConditionExpression: 'attribute_exists(nothing)' }
  await expect(lease.send(never)).rejects.toThrow('conditional request failed')
  await expect(lease.transact([{ Put: never }])).rejects.toThrow('cancelled')
  await finish()
  scene.done('a', completed(lease.fencingToken))
  expect(of(scene.entries, 'effect')).toEqual([])
  expect(scene.staleRefused()).toBe(0)
  const story = scene.stories.get(1)
  expect(story?.steps.map(({ came }) => came)).toContain('refused: its condition does not hold')
})

describe('of two candidates at once', () => {
  test('one is granted the lease, and the other stands by', async () => {
    const { lead, optionsOf, woken, done, entries, leader } = await wire()
    woken('a', 1, TICK, 0)
    woken('b', 2, TICK, 0)
    const { lease, finish } = await lead('a')
    expect(await withLease(optionsOf('b'), () => {})).toMatchObject({ status: 'standby', reason: 'held' })
    done('b', { status: 'standby', reason: 'held' })
    expect(leader()).toMatchObject({ requestId: 'a', candidate: 1, token: lease.fencingToken })
    await finish()
    expect(kindsOf(entries)).toEqual(['woken', 'woken', 'began', 'done', 'ended'])
    expect(of(entries, 'done')).toMatchObject([{ candidate: 2, status: 'standby', reason: 'held' }])
  })

  test('that race, one begins, whichever it is', async () => {
    const { optionsOf, woken, entries, stories } = await wire()
    woken('a', 1, TICK, 0)
    woken('b', 2, TICK, 0)
    const outcomes = await Promise.all(['a', 'b'].map((id) => withLease(optionsOf(id), () => {})))
    const winner = outcomes.findIndex(({ status }) => status === 'completed')
    const [began, ...others] = of(entries, 'began')
    expect(others).toEqual([])
    expect(began).toMatchObject({ candidate: winner + 1, invocation: `${'ab'[winner]}/0` })
    expect(stories.get(1)?.steps).toHaveLength(3)
  })

  test('of which one holds two leases at once, each ends by itself, and both are over with it', async () => {
    const scene = await wire()
    const { lead, woken, entries, leader, done } = scene
    woken('a', 1, TICK, 0)
    const outer = await lead('a', { lease: 'outer' })
    const inner = await lead('a', { lease: 'inner' })
    await outer.lease.renew()
    expect(of(entries, 'renewed')).toMatchObject([{ tenure: 1 }])
    await inner.finish()
    expect(of(entries, 'ended')).toMatchObject([{ tenure: 2 }])
    expect(leader()).toMatchObject({ tenure: 1 })
    done('a', FAILED)
    expect(leader()).toBeUndefined()
    await outer.finish()
  })

  test('of a lease each, both lead, and neither replaces the other', async () => {
    const scene = await wire()
    const { lead, woken, entries, leader } = scene
    woken('a', 1, TICK, 0)
    woken('b', 2, TICK, 0)
    const one = await lead('a', { lease: 'billing-1' })
    const other = await lead('b', { lease: 'billing-2' })
    expect(of(entries, 'began')).toMatchObject([
      { candidate: 1, replaced: undefined },
      { candidate: 2, replaced: undefined },
    ])
    expect(leader()?.requestId).toBe('a')
    const never = { ...put(scene), ConditionExpression: 'attribute_exists(nothing)' }
    for (const { lease } of [one, other]) await expect(lease.send(never)).rejects.toThrow('conditional')
    await one.finish()
    expect(leader()?.requestId).toBe('b')
    await other.finish()
    expect(leader()).toBeUndefined()
    expect(of(entries, 'ended')).toHaveLength(2)
    expect(of(entries, 'effect')).toEqual([])
    expect(scene.staleRefused()).toBe(0)
  })
})

describe('a reply that is lost', () => {
  test('of an acquire: the tenure begins once, for the row says so, and the story says that nobody was told', async () => {
    const { strike, lead, woken, entries, stories } = await wire()
    woken('a', 1, TICK, 0)
    strike(loseReply)
    const { lease, finish } = await lead('a')
    await finish()
    expect(kindsOf(entries)).toEqual(['woken', 'began', 'ended'])
    const came = stories.get(1)?.steps.map((step) => step.came)
    expect(came?.[1]).toBe(`granted, with token ${lease.fencingToken}; but the reply was lost`)
    expect(came).toHaveLength(4)
  })

  test('of a completion: it has ended once', async () => {
    const { strike, lead, woken, entries } = await wire()
    woken('a', 1, TICK, 0)
    const { finish } = await lead('a')
    strike(loseReply)
    expect(await finish()).toMatchObject({ status: 'completed' })
    expect(kindsOf(entries)).toEqual(['woken', 'began', 'ended'])
  })

  test('of a completion behind which another leads already: what is repeated and refused is no stale write', async () => {
    const { strike, lead, woken, staleRefused, entries } = await wire()
    woken('a', 1, TICK, 0)
    woken('b', 2, NEXT_TICK, 0)
    const first = await lead('a')
    const next: { tenure?: Awaited<ReturnType<typeof lead>> } = {}
    strike(async (_, forward) => {
      await forward()
      next.tenure = await lead('b', { tick: NEXT_TICK })
      return 'hangUp'
    })
    await first.finish()
    await next.tenure?.finish()
    expect(of(entries, 'began')).toHaveLength(2)
    expect(of(entries, 'effect')).toEqual([])
    expect(staleRefused()).toBe(0)
  })

  test('of a write: it was accepted', async () => {
    const scene = await wire()
    scene.woken('a', 1, TICK, 0)
    const { lease, finish } = await scene.lead('a')
    scene.strike(loseReply)
    await lease.send(put(scene)) // the client asks again
    await finish()
    expect(effectsIn(scene.entries)).toMatchObject([{ verdict: 'accepted', times: 1 }])
  })
})

test('a call that never arrived changed nothing, and its story says so', async () => {
  const { strike, lead, woken, entries, stories } = await wire()
  woken('a', 1, TICK, 0)
  strike(neverArrives)
  const { lease, finish } = await lead('a')
  strike(neverArrives)
  await finish()
  expect(kindsOf(entries)).toEqual(['woken', 'began', 'ended'])
  const steps = stories.get(1)?.steps ?? []
  expect(steps.map(({ came }) => came)).toEqual([
    undefined,
    'never arrived',
    `granted, with token ${lease.fencingToken}`,
    'never arrived',
    'done',
  ])
  expect(steps[1]).not.toHaveProperty('answer')
})

describe('the story of a tenure', () => {
  test('begins before it was known that this try would lead, and has what was sent and answered in each step', async () => {
    const scene = await wire()
    const { woken, entries, stories, lead, done, exchanges } = scene
    woken('a', 1, TICK, 0)
    await scene.clientOf('a').send(new PutCommand(put(scene, 'before')))
    const { lease, finish } = await lead('a')
    await lease.send(put(scene))
    await finish()
    done('a', completed(lease.fencingToken))
    const story = stories.get(1)
    expect(story?.leftOut).toBe(0)
    expect(story?.steps.map(({ words }) => words)).toEqual([
      `Woken for the tick ${TICK}`,
      `Puts a row into ${scene.rows}`,
      expect.stringMatching(/^Asks for the lease, to hold it until \d\d:\d\d:\d\d\.\d\d\d$/),
      `Puts a row into ${scene.rows}, unless a newer leader has written it`,
      'Records the tick as done',
      'Returns; its tick is completed',
    ])
    const asked = (story?.steps ?? []).filter(({ request }) => request !== undefined)
    expect(asked.map(({ request, answer }) => ({ request, answer }))).toEqual(
      exchanges.map(({ call, reply }) => ({ request: call.body, answer: JSON.parse(reply.body) })),
    )
    for (const step of asked) expect(step).toMatchObject({ atMs: NOW_MS, tookMs: 0, came: expect.any(String) })
    expect(of(entries, 'effect')).toMatchObject([{ times: 1 }]) // the row written before is no leader's
  })

  test('has what was done to it by hand, and how it failed', async () => {
    const { woken, broken, stories, lead, done, entries } = await wire()
    woken('a', 1, TICK, 0)
    const { fail } = await lead('a')
    broken('frozen', { requestId: 'a' })
    broken('everybody rests')
    broken('cut off', { candidate: 3 })
    await fail(new Error('no'))
    done('a', FAILED)
    const byHand = stories.get(1)?.steps.filter((step) => step.isByHand === true)
    expect(byHand).toEqual([{ atMs: NOW_MS, words: 'frozen', isByHand: true }])
    expect(stories.get(1)?.steps.at(-1)).toMatchObject({
      words: 'Fails with Runtime.ExitError: killed',
    })
    expect(of(entries, 'broken')).toEqual([
      { kind: 'broken', atMs: NOW_MS, candidate: 1, words: 'frozen' },
      { kind: 'broken', atMs: NOW_MS, candidate: undefined, words: 'everybody rests' },
      { kind: 'broken', atMs: NOW_MS, candidate: 3, words: 'cut off' },
    ])
  })

  test('of a try of Lambda’s own is apart from that of the first, and says so', async () => {
    const { woken, lead, done, stories, entries, runOut } = await wire()
    woken('a', 1, TICK, 0)
    const first = await lead('a')
    done('a', FAILED)
    await runOut()
    woken('a', 1, TICK, 1)
    const second = await lead('a', { candidate: 'a again' })
    expect(stories.get(1)?.steps).toHaveLength(3)
    expect(stories.get(2)?.steps[0]?.words).toBe(`Tried again by Lambda, for the tick ${TICK}`)
    expect(of(entries, 'began').map(({ invocation }) => invocation)).toEqual(['a/0', 'a/1'])
    await second.finish()
    await first.finish()
  })

  test('says who has taken over where a write comes too late', async () => {
    const scene = await replacement()
    await scene.now.lease.send(put(scene))
    await expect(scene.old.lease.send(put(scene))).rejects.toThrow('already written')
    expect(scene.stories.get(1)?.steps.at(-1)).toMatchObject({
      came: `refused: token ${scene.now.lease.fencingToken} has taken over`,
      answer: { Item: { id: { S: '1' } } },
    })
  })
})

describe('who leads', () => {
  const asLeader = (options?: Partial<LeaseOptions>) =>
    wire().then(async (scene) => {
      scene.woken('a', 1, TICK, 0)
      return { ...scene, ...(await scene.lead('a', options)) }
    })

  test('is nobody before the first tenure, and nobody once it has ended', async () => {
    const { leader } = await wire()
    expect(leader()).toBeUndefined()
    const led = await asLeader()
    expect(led.leader()).toMatchObject({ requestId: 'a', candidate: 1, token: led.lease.fencingToken })
    await led.finish()
    expect(led.leader()).toBeUndefined()
  })

  test('is nobody once the leader’s invocation is over, however the row stands', async () => {
    const { leader, done, finish } = await asLeader()
    done('a', FAILED)
    expect(leader()).toBeUndefined()
    await finish()
  })

  test('is the successor, and stays so when the old one ends', async () => {
    const { leader, done, old, now } = await replacement()
    expect(leader()?.requestId).toBe('b')
    await old.finish()
    done('a', FAILED)
    expect(leader()?.requestId).toBe('b')
    await now.finish()
  })
})

/** A recorder whose calls are answered by hand. */
function byHand() {
  const entries: Entry[] = []
  const recorder = createRecorder({ leaseTable: 'leases', add: (entry) => entries.push(entry), now: () => NOW_MS })
  const intercept = compose(recorder.atFunction, recorder.atService)
  const call = (requestId: string, values: object): Call => ({
    service: 'dynamodb',
    operation: 'UpdateItem',
    target: 'leases',
    body: { Key: { lease: { S: 'billing' } }, ExpressionAttributeValues: values },
    requestId,
  })
  const acquire = (requestId: string, nowMs: number, attributes?: object) =>
    intercept(call(requestId, { ':now': { N: String(nowMs) }, ':expiresAt': { N: '9' } }), async () => ({
      statusCode: 200,
      headers: {},
      body: JSON.stringify(attributes === undefined ? {} : { Attributes: attributes }),
    }))
  return { ...recorder, entries, intercept, acquire }
}

test('a charge at the gateway is an effect, and an error of the gateway’s own is told as it came', async () => {
  const { woken, acquire, intercept, done, entries, stories } = byHand()
  woken('a', 1, TICK, 0)
  await acquire('a', 1_000)
  const charge: Call = { service: 'lambda', operation: 'Invoke', target: 's', body: { method: 'POST' }, requestId: 'a' }
  await intercept(charge, async () => ({ statusCode: 200, headers: {}, body: '{"statusCode":200}' }))
  done('a', completed(1_001))
  expect(effectsIn(entries)).toEqual([{ token: 1_001, verdict: 'accepted', what: 'charge at the gateway', times: 1 }])
  expect(stories.get(1)?.steps.at(-2)).toMatchObject({ words: 'Asks the gateway to charge', came: 'done' })
})

test.each([402, 503])(
  'a charge that the gateway answers with %d has moved no money, and is no effect',
  async (statusCode) => {
    const { woken, acquire, intercept, done, entries } = byHand()
    woken('a', 1, TICK, 0)
    await acquire('a', 1_000)
    const charge: Call = {
      service: 'lambda',
      operation: 'Invoke',
      target: 's',
      body: { method: 'POST' },
      requestId: 'a',
    }
    await intercept(charge, async () => ({ statusCode: 200, headers: {}, body: JSON.stringify({ statusCode }) }))
    done('a', completed(1_001))
    expect(effectsIn(entries)).toEqual([])
  },
)

test('a write that DynamoDB could not answer is no effect of a replaced leader', async () => {
  const { woken, acquire, intercept, done, entries, staleRefused } = byHand()
  woken('a', 1, TICK, 0)
  woken('b', 2, TICK, 0)
  await acquire('a', 1_000)
  await acquire('b', 2_000, { fencingToken: { N: '1001' }, holder: { S: 'a' } })
  const write: Call = { service: 'dynamodb', operation: 'PutItem', target: 'rows', body: {}, requestId: 'a' }
  for (const type of ['ThrottlingException', 'InternalServerError']) {
    await intercept(write, async () => dynamodbError(type, 'no'))
  }
  done('a', FAILED)
  expect(of(entries, 'effect')).toEqual([])
  expect(staleRefused()).toBe(0)
})

test('what invocations send that were never woken passes unseen', async () => {
  const { acquire, entries, leader, done, candidateOf } = byHand()
  expect(await acquire('gateway', 1_000)).toMatchObject({ statusCode: 200 })
  done('gateway', FAILED)
  expect(entries).toEqual([])
  expect(leader()).toBeUndefined()
  expect(candidateOf('gateway')).toBeUndefined()
})

test('a call that fails on its way fails for the function too, and its story says that it never arrived', async () => {
  const { woken, acquire, atFunction, stories } = byHand()
  woken('a', 1, TICK, 0)
  const failing: Interceptor = compose(atFunction, () => Promise.reject(new Error('unreachable')))
  const unused = async (): Promise<Reply> => ({ statusCode: 200, headers: {}, body: '' })
  const read: Call = { service: 'dynamodb', operation: 'GetItem', target: 'rows', body: {}, requestId: 'a' }
  await expect(failing(read, unused)).rejects.toThrow('unreachable')
  await acquire('a', 1_000)
  expect(stories.get(1)?.steps[1]).toMatchObject({ words: 'Reads a row of rows', came: 'never arrived' })
})

test('tries that are over are forgotten when there are many, and those that are not stay', () => {
  const { woken, done, candidateOf } = byHand()
  woken('open', 1, TICK, 0)
  for (let number = 1; number <= 600; number += 1) {
    woken(`over ${number}`, 2, TICK, 0)
    done(`over ${number}`, { status: 'standby', reason: 'held' })
  }
  expect(candidateOf('open')).toBe(1)
  expect(candidateOf('over 1')).toBeUndefined()
  expect(candidateOf('over 600')).toBe(2)
  const remembered = Array.from({ length: 600 }, (_, index) => candidateOf(`over ${index + 1}`)).filter(Boolean)
  expect(remembered.length).toBeLessThanOrEqual(500)
})

test('what happened is told with the time at which it did', async () => {
  const { woken, acquire, done, broken, entries } = byHand()
  woken('a', 1, TICK, 0)
  await acquire('a', 1_000)
  broken('killed', { requestId: 'a' })
  done('a', FAILED)
  const happenings = entries.filter((entry): entry is Happening => 'atMs' in entry)
  expect(happenings.map(({ atMs }) => atMs)).toEqual([NOW_MS, NOW_MS, NOW_MS, NOW_MS])
})
