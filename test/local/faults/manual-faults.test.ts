import { describe, expect, test } from 'vitest'
import { ManualClock, settled } from '../../../functions/election/testing/manual-clock.ts'
import { type Act, ActError } from '../../../infra/local/faults/acts.ts'
import { createHand } from '../../../infra/local/faults/manual-faults.ts'
import type { Call, Reply } from '../../../infra/local/lambda-host/interceptor.ts'
import type { CandidateEntry, LeaderEntry } from '../../../infra/local/observe/entries.ts'
import type { Leader } from '../../../infra/local/observe/recorder.ts'

const DONE: Reply = { statusCode: 200, headers: {}, body: '{}' }
const PAST_LEASE_MS = 16_500

const dynamodb = (operation: string, target: string, body: Call['body'] = {}): Omit<Call, 'requestId'> => ({
  service: 'dynamodb',
  operation,
  target,
  body,
})
const ofLease = (values: object) =>
  dynamodb('UpdateItem', 'leases', { Key: { lease: { S: 'billing' } }, ExpressionAttributeValues: values })

const CALLS = {
  read: dynamodb('GetItem', 'charges'),
  write: dynamodb('UpdateItem', 'charges'),
  charge: { service: 'lambda', operation: 'Invoke', target: 'sandbox', body: { method: 'POST' } },
  acquire: dynamodb('UpdateItem', 'leases', {
    Key: { lease: { S: 'billing' } },
    ExpressionAttributeValues: { ':now': { N: '1' }, ':expiresAt': { N: '2' } },
  }),
  renew: ofLease({ ':step': { N: '1' }, ':expiresAt': { N: '2' } }),
  complete: ofLease({ ':endedBy': { S: 'completed' } }),
  release: ofLease({ ':endedBy': { S: 'failed' } }),
} as const satisfies Record<string, Omit<Call, 'requestId'>>

interface SceneOptions {
  /** Who has the lease at the beginning: request `a` is of candidate 1, `b` of candidate 2, `c` of candidate 3. */
  readonly leads?: string
  readonly candidates?: number
  /** Takes as long as it likes over killing. */
  readonly killing?: Promise<void>
}

/** A hand on three candidates, what it did in order, and calls of theirs. */
function scene({ leads, candidates = 3, killing }: SceneOptions = {}) {
  const requests = ['a', 'b', 'c']
  const events: string[] = []
  const told: (CandidateEntry | LeaderEntry)[] = []
  const alive = new Set(requests)
  const clock = new ManualClock()
  const stopping = new AbortController()
  const state: { leader?: Leader | undefined } = {}
  const leaderIs = (requestId?: string) => {
    state.leader =
      requestId === undefined ? undefined : { requestId, candidate: numberOf(requestId), tenure: 1, token: 1 }
  }
  const numberOf = (requestId: string) => requests.indexOf(requestId) + 1
  leaderIs(leads)

  const does = (what: string) => (requestId: string) => {
    if (alive.has(requestId)) events.push(`${what} ${requestId}`)
    return alive.has(requestId)
  }
  const hand = createHand({
    candidates,
    leaseTable: 'leases',
    processes: {
      kill: async (requestId) => {
        const killed = does('kill')(requestId)
        await killing
        return killed
      },
      freeze: does('freeze'),
      thaw: does('thaw'),
    },
    recorder: {
      leader: () => state.leader,
      isLeading: (requestId) => state.leader?.requestId === requestId,
      candidateOf: (requestId) => (requests.includes(requestId) ? numberOf(requestId) : undefined),
      broken: (words, { candidate, requestId } = {}) => events.push(`mark ${requestId ?? candidate}: ${words}`),
    },
    deliverAgain: async (requestId) => void events.push(`rivals of ${requestId} wake`),
    pastLeaseMs: PAST_LEASE_MS,
    tell: (entry) => told.push(entry),
    signal: stopping.signal,
    clock,
  })

  return {
    ...hand,
    events,
    clock,
    stopping,
    leaderIs,
    isOver: (requestId: string) => {
      alive.delete(requestId)
      hand.ended(requestId)
    },
    diesUnseen: (requestId: string) => alive.delete(requestId),
    /** The last that was told of the leader, and of a candidate. */
    leader: () => told.findLast(({ kind }) => kind === 'leader'),
    candidate: (number: number) => told.findLast((entry) => entry.kind === 'candidate' && entry.candidate === number),
    send: (requestId: string, kind: keyof typeof CALLS = 'write', reply: () => Promise<Reply> = async () => DONE) =>
      hand.intercept({ ...CALLS[kind], requestId }, async () => {
        events.push(`${kind} of ${requestId} arrives`)
        return reply()
      }),
    forgetEvents: () => events.splice(0),
  }
}

/** The sentence with which an act is refused. */
async function refusalOf(acted: Promise<void>): Promise<string> {
  const error: unknown = await acted.then(
    () => 'not refused',
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(ActError)
  return error instanceof Error ? error.message : ''
}

/** Whether a call was answered already, and with what. */
function watched(call: Promise<Reply | 'hangUp'>) {
  const seen: { answer?: Reply | 'hangUp' } = {}
  void call.then((answer) => {
    seen.answer = answer
  })
  return seen
}

test('where nothing was done, every call goes its way', async () => {
  const { send, events } = scene({ leads: 'a' })
  for (const kind of ['acquire', 'read', 'write', 'charge', 'renew', 'complete', 'release'] as const) {
    expect(await send('a', kind)).toBe(DONE)
  }
  expect(events).toHaveLength(7)
})

test('what nobody knows as a candidate, such as the gateway, is let through whatever is armed', async () => {
  const { act, send, leaderIs } = scene()
  leaderIs('gateway')
  for (const what of ['killLeader', 'freezeLeader'] as const) {
    await act({ do: what })
    expect(await send('gateway')).toBe(DONE)
  }
})

describe('killing the leader', () => {
  test('strikes at once where one is at work', async () => {
    const { act, events, leader } = scene({ leads: 'b' })
    await act({ do: 'killLeader' })
    expect(events).toEqual(['kill b', 'mark b: killed'])
    expect(leader()).toMatchObject({ armed: undefined })
  })

  test.each(['write', 'charge'] as const)(
    'is armed where nobody leads, and strikes the next behind its first effect, a %s, before it is told',
    async (kind) => {
      const { act, send, events, leader, leaderIs } = scene()
      await act({ do: 'killLeader' })
      expect(leader()).toMatchObject({ armed: 'kill' })
      expect(await send('a', 'acquire')).toBe(DONE)
      leaderIs('a')
      for (const harmless of ['read', 'renew'] as const) expect(await send('a', harmless)).toBe(DONE)
      events.splice(0)
      expect(await send('a', kind)).toBe('hangUp')
      expect(events).toEqual([
        `${kind} of a arrives`,
        'kill a',
        expect.stringMatching(
          /^mark a: killed, its (UpdateItem of charges|charge at the gateway) done and the reply on/,
        ),
      ])
      expect(leader()).toMatchObject({ armed: undefined })
    },
  )

  test.each(['complete', 'release'] as const)('armed, strikes one without effects before its %s', async (kind) => {
    const { act, send, events, leaderIs } = scene()
    await act({ do: 'killLeader' })
    leaderIs('a')
    expect(await send('a', kind)).toBe('hangUp')
    expect(events).toEqual(['kill a', 'mark a: killed before it could end its tenure'])
  })

  test('armed, strikes once, and nobody but the leader', async () => {
    const { act, send, events, leaderIs, isOver } = scene()
    await act({ do: 'killLeader' })
    leaderIs('a')
    expect(await send('b')).toBe(DONE)
    expect(await send('a')).toBe('hangUp')
    isOver('a')
    leaderIs('b')
    expect(await send('b')).toBe(DONE)
    expect(events.filter((event) => event.startsWith('kill'))).toEqual(['kill a'])
  })

  test('armed, strikes one of two calls that come together', async () => {
    const { act, send, events, leaderIs } = scene()
    await act({ do: 'killLeader' })
    leaderIs('a')
    expect(await Promise.all([send('a'), send('a')])).toEqual(['hangUp', DONE])
    expect(events.filter((event) => event.startsWith('kill'))).toEqual(['kill a'])
  })

  test('is armed for the next where the leader has just ended', async () => {
    const { act, events, leader, diesUnseen } = scene({ leads: 'a' })
    diesUnseen('a')
    await act({ do: 'killLeader' })
    expect(events).toEqual([])
    expect(leader()).toMatchObject({ armed: 'kill' })
  })

  test('stays armed where the leader ends before the armed act strikes', async () => {
    const { act, send, events, leader, leaderIs, diesUnseen, isOver } = scene()
    await act({ do: 'killLeader' })
    leaderIs('a')
    const reply = Promise.withResolvers<Reply>()
    const call = send('a', 'write', () => reply.promise)
    diesUnseen('a')
    reply.resolve(DONE)
    expect(await call).toBe(DONE)
    expect(events).toEqual(['write of a arrives'])
    expect(leader()).toMatchObject({ armed: 'kill' })
    isOver('a')
    leaderIs('b')
    expect(await send('b')).toBe('hangUp')
  })

  test('stays armed where the call that it waits for never comes to an end, and the call fails as it would have', async () => {
    const { act, send, leader, leaderIs } = scene()
    await act({ do: 'killLeader' })
    leaderIs('a')
    const lost = new Error('nobody answers')
    await expect(send('a', 'write', () => Promise.reject(lost))).rejects.toBe(lost)
    expect(leader()).toMatchObject({ armed: 'kill' })
  })

  test('does not undo another act that was armed while it waited in vain', async () => {
    const { act, send, leader, leaderIs, diesUnseen } = scene()
    await act({ do: 'killLeader' })
    leaderIs('a')
    const reply = Promise.withResolvers<Reply>()
    const call = send('a', 'write', () => reply.promise)
    await act({ do: 'freezeLeader' })
    diesUnseen('a')
    reply.resolve(DONE)
    await call
    expect(leader()).toMatchObject({ armed: 'freeze' })
  })

  test('asked for twice kills the leader once, and then the next one', async () => {
    const killing = Promise.withResolvers<void>()
    const { act, send, events, leader, leaderIs, isOver } = scene({ leads: 'a', killing: killing.promise })
    const acts = [act({ do: 'killLeader' }), act({ do: 'killLeader' })]
    killing.resolve()
    await Promise.all(acts)
    expect(events).toEqual(['kill a', 'mark a: killed'])
    expect(leader()).toMatchObject({ armed: 'kill' })
    expect(await send('a')).toBe(DONE) // it was on its way
    isOver('a')
    leaderIs('b')
    expect(await send('b')).toBe('hangUp')
    expect(events.filter((event) => event.startsWith('kill'))).toEqual(['kill a', 'kill b'])
  })

  test('kills a later try of the same request too', async () => {
    const { act, events, isOver, leaderIs, ended } = scene({ leads: 'a' })
    await act({ do: 'killLeader' })
    ended('a')
    leaderIs('a')
    await act({ do: 'killLeader' })
    expect(events.filter((event) => event.startsWith('kill'))).toEqual(['kill a', 'kill a'])
    isOver('a')
  })
})

describe('freezing the leader', () => {
  test.each(['write', 'complete', 'release'] as const)(
    'waits for an effect of its, or its end, such as a %s, and holds it back',
    async (kind) => {
      const { act, send, events, leader, leaderIs, isFrozen } = scene({ leads: 'a' })
      await act({ do: 'freezeLeader' })
      expect(leader()).toMatchObject({ armed: 'freeze', frozen: [] })
      expect(isFrozen('a')).toBe(false)
      for (const harmless of ['read', 'charge', 'acquire', 'renew'] as const)
        expect(await send('a', harmless)).toBe(DONE)
      events.splice(0)
      const held = watched(send('a', kind))
      await settled()
      expect(held).toEqual({})
      expect(events).toEqual(['freeze a', 'mark a: frozen, with a write on its way'])
      expect(leader()).toMatchObject({ armed: undefined, frozen: [1] })
      expect(isFrozen('a')).toBe(true)
      leaderIs(undefined)
    },
  )

  test('lets others go on meanwhile, and what the frozen one had sent before', async () => {
    const { act, send } = scene({ leads: 'a' })
    await act({ do: 'freezeLeader' })
    void send('a')
    for (const requestId of ['a', 'b']) expect(await send(requestId)).toBe(DONE)
  })

  test('is meant for the leader alone, and for the next where nobody leads', async () => {
    const { act, send, events, leaderIs } = scene()
    await act({ do: 'freezeLeader' })
    expect(await send('a')).toBe(DONE)
    leaderIs('b')
    expect(await send('a')).toBe(DONE)
    void send('b')
    expect(events).toContain('freeze b')
  })

  test('stays armed where the leader has just ended, whose call goes its way', async () => {
    const { act, send, leader, diesUnseen } = scene({ leads: 'a' })
    await act({ do: 'freezeLeader' })
    diesUnseen('a')
    expect(await send('a')).toBe(DONE)
    expect(leader()).toMatchObject({ armed: 'freeze', frozen: [] })
  })

  test('wakes the rivals once when the lease must have run out, and not before', async () => {
    const { act, send, events, clock, forgetEvents } = scene({ leads: 'a' })
    await act({ do: 'freezeLeader' })
    void send('a')
    forgetEvents()
    await clock.advance(PAST_LEASE_MS - 1)
    expect(events).toEqual([])
    await clock.advance(1)
    expect(events).toEqual(['rivals of a wake'])
    await clock.advance(10 * PAST_LEASE_MS)
    expect(events).toEqual(['rivals of a wake'])
  })

  test('again freezes its successor, and both thaw together', async () => {
    const { act, send, events, leader, leaderIs, clock, forgetEvents } = scene({ leads: 'a' })
    await act({ do: 'freezeLeader' })
    const first = send('a')
    await clock.advance(PAST_LEASE_MS)
    leaderIs('b')
    await act({ do: 'freezeLeader' })
    const second = send('b')
    expect(leader()).toMatchObject({ frozen: [1, 2] })
    forgetEvents()
    await act({ do: 'thawLeader' })
    expect(await Promise.all([first, second])).toEqual([DONE, DONE])
    expect(events.filter((event) => !event.startsWith('mark'))).toEqual([
      'thaw a',
      'thaw b',
      'write of a arrives',
      'write of b arrives',
    ])
    expect(leader()).toMatchObject({ frozen: [] })
  })

  test('while it is frozen already waits for its successor, and loses none of what is held back', async () => {
    const { act, send, leader, leaderIs } = scene({ leads: 'a' })
    await act({ do: 'freezeLeader' })
    const held = send('a')
    await act({ do: 'freezeLeader' })
    expect(await send('a')).toBe(DONE) // it was sent before
    expect(leader()).toMatchObject({ armed: 'freeze', frozen: [1] })
    leaderIs('b')
    const other = send('b')
    await act({ do: 'thawLeader' })
    expect(await Promise.all([held, other])).toEqual([DONE, DONE])
  })

  test('takes the place of a kill that was armed', async () => {
    const { act, send, events, leaderIs } = scene()
    await act({ do: 'killLeader' })
    await act({ do: 'freezeLeader' })
    leaderIs('a')
    void send('a')
    expect(events[0]).toBe('freeze a')
  })
})

describe('a frozen leader', () => {
  /** Frozen, with its write on the way. */
  async function frozen() {
    const all = scene({ leads: 'a' })
    await all.act({ do: 'freezeLeader' })
    const call = all.send('a')
    all.forgetEvents()
    return { ...all, call }
  }

  test('is thawed, and then its write goes on', async () => {
    const { act, call, events, leader, isFrozen } = await frozen()
    await act({ do: 'thawLeader' })
    expect(await call).toBe(DONE)
    expect(events).toEqual(['thaw a', 'mark a: thawed', 'write of a arrives'])
    expect(leader()).toMatchObject({ frozen: [] })
    expect(isFrozen('a')).toBe(false)
  })

  test('thawed before its lease runs out wakes no rivals', async () => {
    const { act, events, clock } = await frozen()
    await clock.advance(PAST_LEASE_MS / 2)
    await act({ do: 'thawLeader' })
    await clock.advance(PAST_LEASE_MS)
    expect(events).not.toContain('rivals of a wake')
  })

  test('thawed and frozen again has its whole lease anew before its rivals wake', async () => {
    const { act, send, events, clock } = await frozen()
    await clock.advance(PAST_LEASE_MS / 2)
    await act({ do: 'thawLeader' })
    await act({ do: 'freezeLeader' })
    void send('a')
    await clock.advance(PAST_LEASE_MS - 1)
    expect(events).not.toContain('rivals of a wake')
    await clock.advance(1)
    expect(events.filter((event) => event === 'rivals of a wake')).toHaveLength(1)
  })

  test('can be thawed while its rivals are at work', async () => {
    const { act, call, clock } = await frozen()
    await clock.advance(PAST_LEASE_MS)
    await act({ do: 'thawLeader' })
    expect(await call).toBe(DONE)
  })

  test('cannot be thawed twice', async () => {
    const { act, events, call } = await frozen()
    const [first, second] = [act({ do: 'thawLeader' }), act({ do: 'thawLeader' })]
    await first
    expect(await refusalOf(second)).toBe('Nobody is frozen')
    expect(await call).toBe(DONE)
    expect(events.filter((event) => event === 'write of a arrives')).toHaveLength(1)
  })

  test('that ends, by its time-out or otherwise, sends nothing more, and wakes no rivals', async () => {
    const { isOver, call, events, leader, isFrozen, clock, act } = await frozen()
    isOver('a')
    expect(await call).toBe('hangUp')
    expect(leader()).toMatchObject({ frozen: [] })
    expect(isFrozen('a')).toBe(false)
    await clock.advance(PAST_LEASE_MS)
    expect(events).toEqual([])
    expect(await refusalOf(act({ do: 'thawLeader' }))).toBe('Nobody is frozen')
  })

  test('that is dead when it is thawed, and nobody knows it yet, sends nothing more', async () => {
    const { diesUnseen, act, call, events } = await frozen()
    diesUnseen('a')
    await act({ do: 'thawLeader' })
    expect(await call).toBe('hangUp')
    expect(events).toEqual([])
  })

  test('can be killed, and its write never arrives', async () => {
    const { act, isOver, call, events } = await frozen()
    await act({ do: 'killLeader' })
    isOver('a')
    expect(await call).toBe('hangUp')
    expect(events).toEqual(['kill a', 'mark a: killed'])
  })

  test('does not keep a run that ends from ending, and wakes nobody then', async () => {
    const { stopping, call, events, clock } = await frozen()
    stopping.abort()
    expect(await call).toBe('hangUp')
    await clock.advance(PAST_LEASE_MS)
    expect(events).toEqual([])
    expect(clock.sleeping).toBe(0)
  })

  test('that was cut off meanwhile is awake behind the thaw, and its write does not arrive', async () => {
    const { act, call, events } = await frozen()
    await act({ do: 'cutOff', candidate: 1 })
    await act({ do: 'thawLeader' })
    expect(await call).toBe('hangUp')
    expect(events).toEqual(['mark 1: cut off', 'thaw a', 'mark a: thawed'])
  })

  test('whose candidate was removed stays frozen until it is thawed', async () => {
    const { act, call, leader, isFrozen } = await frozen()
    await act({ do: 'removeCandidate', candidate: 1 })
    expect(isFrozen('a')).toBe(true)
    expect(leader()).toMatchObject({ frozen: [1] })
    await act({ do: 'addCandidate' })
    await act({ do: 'thawLeader' })
    expect(await call).toBe(DONE)
  })
})

test('nobody is frozen or killed any more once the run ends', async () => {
  const { act, send, events, leaderIs, stopping } = scene()
  await act({ do: 'freezeLeader' })
  stopping.abort()
  leaderIs('a')
  expect(await send('a')).toBe(DONE)
  expect(events).toEqual(['write of a arrives'])
})

describe('thawing', () => {
  test('calls off a freeze that nobody has met yet', async () => {
    const { act, send, leader, leaderIs } = scene()
    await act({ do: 'freezeLeader' })
    await act({ do: 'thawLeader' })
    expect(leader()).toMatchObject({ armed: undefined })
    leaderIs('a')
    expect(await send('a')).toBe(DONE)
  })

  test('is refused where nobody is frozen, even if a kill is armed', async () => {
    const { act, leader } = scene()
    expect(await refusalOf(act({ do: 'thawLeader' }))).toBe('Nobody is frozen')
    await act({ do: 'killLeader' })
    expect(await refusalOf(act({ do: 'thawLeader' }))).toBe('Nobody is frozen')
    expect(leader()).toMatchObject({ armed: 'kill' })
  })
})

describe('dropping a reply', () => {
  test('carries out the next request to DynamoDB of that candidate, tells nobody, and is done once', async () => {
    const { act, send, events, candidate } = scene()
    await act({ do: 'dropReply', candidate: 1 })
    expect(candidate(1)).toMatchObject({ dropsReply: true })
    expect(await send('b', 'read')).toBe(DONE)
    expect(await send('a', 'charge')).toBe(DONE)
    events.splice(0)
    expect(await send('a', 'read')).toBe('hangUp')
    expect(events).toEqual(['read of a arrives', 'mark a: a reply to it was lost'])
    expect(candidate(1)).toMatchObject({ dropsReply: false })
    expect(await send('a', 'read')).toBe(DONE)
  })

  test('loses one of two replies that come together', async () => {
    const { act, send } = scene()
    await act({ do: 'dropReply', candidate: 1 })
    expect(await Promise.all([send('a'), send('a')])).toEqual(['hangUp', DONE])
  })
})

describe('cutting off', () => {
  test('lets no request of that candidate arrive anywhere until it is connected again', async () => {
    const { act, send, events, candidate } = scene({ leads: 'a' })
    await act({ do: 'cutOff', candidate: 1 })
    expect(candidate(1)).toMatchObject({ isCutOff: true })
    for (const kind of ['acquire', 'write', 'charge', 'complete'] as const) expect(await send('a', kind)).toBe('hangUp')
    expect(await send('b')).toBe(DONE)
    await act({ do: 'reconnect', candidate: 1 })
    expect(candidate(1)).toMatchObject({ isCutOff: false })
    expect(await send('a')).toBe(DONE)
    expect(events).toEqual(['mark 1: cut off', 'write of b arrives', 'mark 1: connected again', 'write of a arrives'])
  })

  test('keeps the reply that is to be lost, and what is armed, for when it is connected again', async () => {
    const { act, send, leader, candidate } = scene()
    await act({ do: 'dropReply', candidate: 1 })
    await act({ do: 'killLeader' })
    await act({ do: 'cutOff', candidate: 1 })
    await send('a')
    expect(candidate(1)).toMatchObject({ dropsReply: true })
    expect(leader()).toMatchObject({ armed: 'kill' })
  })

  test('leaves no second mark where it is so already', async () => {
    const { act, events } = scene()
    await act({ do: 'reconnect', candidate: 1 })
    for (const what of ['cutOff', 'cutOff', 'reconnect', 'reconnect'] as const) await act({ do: what, candidate: 1 })
    expect(events).toEqual(['mark 1: cut off', 'mark 1: connected again'])
  })
})

describe('candidates', () => {
  test('are there from 1 on at the start, each told of, and the leader', () => {
    const { candidates, candidate, leader } = scene({ candidates: 3 })
    expect(candidates()).toEqual([1, 2, 3])
    expect(candidate(3)).toEqual({
      kind: 'candidate',
      candidate: 3,
      isThere: true,
      skewMs: 0,
      isCutOff: false,
      dropsReply: false,
    })
    expect(leader()).toEqual({ kind: 'leader', armed: undefined, frozen: [] })
  })

  test('are added with the lowest number that is free, up to ten', async () => {
    const { act, candidates, events, candidate } = scene()
    await act({ do: 'removeCandidate', candidate: 2 })
    expect(candidates()).toEqual([1, 3])
    expect(candidate(2)).toMatchObject({ isThere: false })
    await act({ do: 'addCandidate' })
    expect(candidates()).toEqual([1, 2, 3])
    for (let more = 4; more <= 10; more += 1) await act({ do: 'addCandidate' })
    expect(candidates()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    expect(events.slice(0, 3)).toEqual(['mark 2: removed', 'mark 2: added', 'mark 4: added'])
    expect(await refusalOf(act({ do: 'addCandidate' }))).toBe(
      'There are 10 candidates, which is as many as a tick can have',
    )
  })

  test('are removed down to one', async () => {
    const { act, candidates } = scene({ candidates: 2 })
    await act({ do: 'removeCandidate', candidate: 1 })
    expect(await refusalOf(act({ do: 'removeCandidate', candidate: 2 }))).toBe('One candidate at least has to stay')
    expect(candidates()).toEqual([2])
  })

  test('that are not there can have nothing done to them', async () => {
    const { act, events } = scene({ candidates: 2 })
    const acts: readonly Act[] = [
      { do: 'removeCandidate', candidate: 3 },
      { do: 'skewClock', candidate: 3, ms: 1_000 },
      { do: 'dropReply', candidate: 3 },
      { do: 'cutOff', candidate: 3 },
      { do: 'reconnect', candidate: 3 },
    ]
    for (const one of acts) expect(await refusalOf(act(one))).toBe('There is no candidate 3, only 1, 2')
    expect(events).toEqual([])
  })

  test('that were removed stay as they are for what they have under way, and come back unharmed', async () => {
    const { act, send, candidate, skewOf } = scene()
    await act({ do: 'cutOff', candidate: 1 })
    await act({ do: 'skewClock', candidate: 1, ms: 5_000 })
    await act({ do: 'removeCandidate', candidate: 1 })
    expect(await send('a')).toBe('hangUp')
    expect(skewOf(1)).toBe(5_000)
    await act({ do: 'addCandidate' })
    expect(candidate(1)).toMatchObject({ isThere: true, isCutOff: false, skewMs: 0, dropsReply: false })
    expect(await send('a')).toBe(DONE)
    expect(skewOf(1)).toBe(0)
  })
})

test.each([
  [2_500, 'its clock is set 2.5 s ahead'],
  [-60_000, 'its clock is set 60 s behind'],
  [0, 'its clock is right again'],
])('a clock is skewed by %d ms, and the mark says: %s', async (ms, words) => {
  const { act, skewOf, events, candidate } = scene()
  expect(skewOf(2)).toBe(0)
  await act({ do: 'skewClock', candidate: 2, ms: 1 })
  await act({ do: 'skewClock', candidate: 2, ms })
  expect(skewOf(2)).toBe(ms)
  expect(skewOf(1)).toBe(0)
  expect(candidate(2)).toMatchObject({ skewMs: ms })
  expect(events.at(-1)).toBe(`mark 2: ${words}`)
})
