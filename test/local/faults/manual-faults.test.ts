import { describe, expect, test } from 'vitest'
import { FaultError, type LeaderFault, type ManualFault } from '../../../infra/local/faults/fault.ts'
import { ManualFaults } from '../../../infra/local/faults/manual-faults.ts'
import type { Call, Reply } from '../../../infra/local/lambda-host/interceptor.ts'
import type { CandidateEntry, LeaderEntry } from '../../../infra/local/observe/entries.ts'
import type { Recorder } from '../../../infra/local/observe/recorder.ts'
import { ManualClock, settled } from '../../support/manual-clock.ts'
import { gatewayCall, LEASES, libraryExchanges, ROWS } from '../observe/wire.ts'

const DONE: Reply = { statusCode: 200, headers: {}, body: '{}' }
const PAST_LEASE_MS = 16_500

const { found } = await libraryExchanges()
const READ: Call = { service: 'dynamodb', operation: 'GetItem', target: ROWS, body: {}, requestId: 'a' }
const CALLS = {
  read: READ,
  charge: gatewayCall('POST'),
  write: found('write').call,
  acquire: found('acquire').call,
  renew: found('renew').call,
  complete: found('complete').call,
  release: found('release').call,
} as const
type Kind = keyof typeof CALLS

interface SceneOptions {
  /** The leader's request: `a` is of candidate 1, `b` of candidate 2, `c` of candidate 3. */
  readonly leads?: string
  readonly candidates?: number
  /** Delays the kill. */
  readonly killing?: Promise<void>
}

/** Manual faults on three candidates, the events they cause in order, and calls of the candidates. */
function scene({ leads, candidates = 3, killing }: SceneOptions = {}) {
  const requests = ['a', 'b', 'c']
  const events: string[] = []
  const entries: (CandidateEntry | LeaderEntry)[] = []
  const alive = new Set(requests)
  const clock = new ManualClock()
  const stopping = new AbortController()
  const numberOf = (requestId: string) => requests.indexOf(requestId) + 1
  let leader: ReturnType<Recorder['leader']>
  const leaderIs = (requestId?: string) => {
    leader = requestId === undefined ? undefined : { requestId, candidate: numberOf(requestId), token: 1 }
  }
  leaderIs(leads)
  const signal = (name: string) => (requestId: string) => {
    if (alive.has(requestId)) events.push(`${name} ${requestId}`)
    return alive.has(requestId)
  }
  const faults = new ManualFaults({
    candidates,
    leaseTable: LEASES,
    processes: {
      kill: async (requestId) => {
        const isKilled = signal('kill')(requestId)
        await killing
        return isKilled
      },
      freeze: signal('freeze'),
      thaw: signal('thaw'),
    },
    election: {
      leader: () => leader,
      isLeading: (requestId) => leader?.requestId === requestId,
      candidateOf: (requestId) => (requests.includes(requestId) ? numberOf(requestId) : undefined),
    },
    onFault: (description, { candidate, requestId } = {}) => events.push(`${requestId ?? candidate}: ${description}`),
    deliverAgain: async (requestId) => void events.push(`rivals of ${requestId}`),
    pastLeaseMs: PAST_LEASE_MS,
    add: (entry) => entries.push(entry),
    signal: stopping.signal,
    clock,
  })
  return {
    faults,
    events,
    clock,
    stopping,
    leaderIs,
    inject: (name: LeaderFault['do']) => faults.inject({ do: name }),
    injectInto: (name: 'dropReply' | 'cutOff' | 'reconnect' | 'removeCandidate', candidate = 1) =>
      faults.inject({ do: name, candidate }),
    /** The invocation ends, and the host knows it. */
    ends: (requestId: string) => {
      alive.delete(requestId)
      faults.invocationEnded(requestId)
    },
    /** The process has ended, but the host does not know it yet. */
    dies: (requestId: string) => alive.delete(requestId),
    /** The latest entries of the leader, and of a candidate. */
    leader: () => entries.findLast(({ kind }) => kind === 'leader'),
    candidate: (number: number) => entries.findLast((one) => one.kind === 'candidate' && one.candidate === number),
    send: (requestId: string, kind: Kind = 'write', reply: () => Promise<Reply> = async () => DONE) =>
      faults.intercept({ ...CALLS[kind], requestId }, async () => {
        events.push(`${kind} of ${requestId} arrives`)
        return reply()
      }),
    signals: () => events.filter((event) => /^(kill|freeze|thaw) /.test(event)),
  }
}

async function expectRefused(injected: Promise<void>, message: string): Promise<void> {
  await expect(injected).rejects.toThrow(new FaultError(message))
}

/** Candidate 1 leads and is frozen with a write on its way. */
async function frozenScene() {
  const all = scene({ leads: 'a' })
  await all.inject('freezeLeader')
  const call = all.send('a')
  all.events.splice(0)
  return { ...all, call }
}

test('without a fault, every call arrives', async () => {
  const { send, events } = scene({ leads: 'a' })
  const kinds = ['acquire', 'read', 'write', 'charge', 'renew', 'complete', 'release'] as const
  for (const kind of kinds) expect(await send('a', kind)).toBe(DONE)
  expect(events).toHaveLength(7)
})

test.each(['killLeader', 'freezeLeader'] as const)('%s does not hit a function that is no candidate', async (name) => {
  const { inject, send, leaderIs } = scene()
  leaderIs('gateway')
  await inject(name)
  expect(await send('gateway')).toBe(DONE)
})

describe('killing the leader', () => {
  test('kills the current leader at once', async () => {
    const { inject, events, leader } = scene({ leads: 'b' })
    await inject('killLeader')
    expect(events).toEqual(['kill b', 'b: killed'])
    expect(leader()).toMatchObject({ armed: undefined })
  })

  test.each([
    ['write', 'PutItem of rows'],
    ['charge', 'charge at the gateway'],
  ] as const)('without a leader, kills the next one after its first %s, before the reply', async (kind, what) => {
    const { inject, send, events, leader, leaderIs } = scene()
    await inject('killLeader')
    expect(leader()).toMatchObject({ armed: 'killLeader' })
    expect(await send('a', 'acquire')).toBe(DONE)
    leaderIs('a')
    for (const harmless of ['read', 'renew'] as const) expect(await send('a', harmless)).toBe(DONE)
    expect(await send('b')).toBe(DONE) // it does not lead
    events.splice(0)
    expect(await send('a', kind)).toBe('hangUp')
    expect(events).toEqual([`${kind} of a arrives`, 'kill a', `a: killed after ${what}, before the reply`])
    expect(leader()).toMatchObject({ armed: undefined })
    leaderIs('b')
    expect(await send('b')).toBe(DONE)
  })

  test.each(['complete', 'release'] as const)('kills a leader without writes before its %s', async (kind) => {
    const { inject, send, events, leaderIs } = scene()
    await inject('killLeader')
    leaderIs('a')
    expect(await send('a', kind)).toBe('hangUp')
    expect(events).toEqual(['kill a', 'a: killed before the end of its tenure'])
  })

  test('hits one of two simultaneous calls', async () => {
    const { inject, send, signals, leaderIs } = scene()
    await inject('killLeader')
    leaderIs('a')
    expect(await Promise.all([send('a'), send('a')])).toEqual(['hangUp', DONE])
    expect(signals()).toEqual(['kill a'])
  })

  test('waits for the next leader if the process has just ended', async () => {
    const { inject, events, leader, dies } = scene({ leads: 'a' })
    dies('a')
    await inject('killLeader')
    expect(events).toEqual([])
    expect(leader()).toMatchObject({ armed: 'killLeader' })
  })

  test('waits on if the leader ends before it is hit', async () => {
    const { inject, send, leader, leaderIs, dies, ends } = scene()
    await inject('killLeader')
    leaderIs('a')
    const reply = Promise.withResolvers<Reply>()
    const call = send('a', 'write', () => reply.promise)
    dies('a')
    reply.resolve(DONE)
    expect(await call).toBe(DONE)
    expect(leader()).toMatchObject({ armed: 'killLeader' })
    ends('a')
    leaderIs('b')
    expect(await send('b')).toBe('hangUp')
  })

  test('waits on if the call fails, and the call fails as without it', async () => {
    const { inject, send, leader, leaderIs } = scene()
    await inject('killLeader')
    leaderIs('a')
    const lost = new Error('no answer')
    await expect(send('a', 'write', () => Promise.reject(lost))).rejects.toBe(lost)
    expect(leader()).toMatchObject({ armed: 'killLeader' })
  })

  test('in vain does not disarm a later fault', async () => {
    const { inject, send, leader, leaderIs, dies } = scene()
    await inject('killLeader')
    leaderIs('a')
    const reply = Promise.withResolvers<Reply>()
    const call = send('a', 'write', () => reply.promise)
    await inject('freezeLeader')
    dies('a')
    reply.resolve(DONE)
    await call
    expect(leader()).toMatchObject({ armed: 'freezeLeader' })
  })

  test('twice kills the leader once, and then the next one', async () => {
    const killing = Promise.withResolvers<void>()
    const { inject, send, signals, leader, leaderIs, ends } = scene({ leads: 'a', killing: killing.promise })
    const both = [inject('killLeader'), inject('killLeader')]
    killing.resolve()
    await Promise.all(both)
    expect(signals()).toEqual(['kill a'])
    expect(leader()).toMatchObject({ armed: 'killLeader' })
    expect(await send('a')).toBe(DONE) // it was sent before
    ends('a')
    leaderIs('b')
    expect(await send('b')).toBe('hangUp')
    expect(signals()).toEqual(['kill a', 'kill b'])
  })

  test('hits a retry of the same request too', async () => {
    const { inject, signals, faults } = scene({ leads: 'a' })
    await inject('killLeader')
    faults.invocationEnded('a')
    await inject('killLeader')
    expect(signals()).toEqual(['kill a', 'kill a'])
    expect(faults.injected()).toEqual({ killLeader: 2, freezeLeader: 0 })
  })
})

describe('freezing the leader', () => {
  test.each(['write', 'complete', 'release'] as const)(
    'waits for its next write, such as a %s, and holds it back',
    async (kind) => {
      const { inject, send, events, leader, faults } = scene({ leads: 'a' })
      await inject('freezeLeader')
      expect(leader()).toMatchObject({ armed: 'freezeLeader', frozen: [] })
      expect(faults.isFrozen('a')).toBe(false)
      for (const harmless of ['read', 'charge', 'acquire', 'renew'] as const)
        expect(await send('a', harmless)).toBe(DONE)
      events.splice(0)
      const answer = await Promise.race([send('a', kind), settled().then(() => 'held')])
      expect(answer).toBe('held')
      expect(events).toEqual(['freeze a', 'a: frozen, with a write on its way'])
      expect(leader()).toMatchObject({ armed: undefined, frozen: [1] })
      expect([faults.isFrozen('a'), faults.hasFrozen()]).toEqual([true, true])
    },
  )

  test('lets the calls of others continue, and those that it had sent before', async () => {
    const { send } = await frozenScene()
    for (const requestId of ['a', 'b']) expect(await send(requestId)).toBe(DONE)
  })

  test('without a leader hits the next one', async () => {
    const { inject, send, signals, leaderIs } = scene()
    await inject('freezeLeader')
    expect(await send('a')).toBe(DONE)
    leaderIs('b')
    expect(await send('a')).toBe(DONE)
    void send('b')
    expect(signals()).toEqual(['freeze b'])
  })

  test('waits on if the process has just ended, whose call arrives', async () => {
    const { inject, send, leader, dies } = scene({ leads: 'a' })
    await inject('freezeLeader')
    dies('a')
    expect(await send('a')).toBe(DONE)
    expect(leader()).toMatchObject({ armed: 'freezeLeader', frozen: [] })
  })

  test('invokes the rivals once, when the lease must have expired', async () => {
    const { events, clock } = await frozenScene()
    await clock.advance(PAST_LEASE_MS - 1)
    expect(events).toEqual([])
    await clock.advance(1)
    await clock.advance(10 * PAST_LEASE_MS)
    expect(events).toEqual(['rivals of a'])
  })

  test('again freezes the successor, and both are thawed together', async () => {
    const { inject, send, signals, leader, leaderIs, clock, call } = await frozenScene()
    await clock.advance(PAST_LEASE_MS)
    await inject('freezeLeader')
    expect(await send('a')).toBe(DONE) // it was sent before
    expect(leader()).toMatchObject({ armed: 'freezeLeader', frozen: [1] })
    leaderIs('b')
    const second = send('b')
    expect(leader()).toMatchObject({ frozen: [1, 2] })
    await inject('thawLeader')
    expect(await Promise.all([call, second])).toEqual([DONE, DONE])
    expect(signals()).toEqual(['freeze b', 'thaw a', 'thaw b'])
    expect(leader()).toMatchObject({ frozen: [] })
  })

  test('replaces an armed kill', async () => {
    const { inject, send, signals, leaderIs } = scene()
    await inject('killLeader')
    await inject('freezeLeader')
    leaderIs('a')
    void send('a')
    expect(signals()).toEqual(['freeze a'])
  })
})

describe('a frozen leader', () => {
  test('is thawed, and then its write arrives', async () => {
    const { inject, call, events, leader, faults } = await frozenScene()
    await inject('thawLeader')
    expect(await call).toBe(DONE)
    expect(events).toEqual(['thaw a', 'a: thawed', 'write of a arrives'])
    expect(leader()).toMatchObject({ frozen: [] })
    expect(faults.isFrozen('a')).toBe(false)
  })

  test('that is thawed early has no rivals; frozen again, it has them after a whole lease', async () => {
    const { inject, send, events, clock } = await frozenScene()
    await clock.advance(PAST_LEASE_MS / 2)
    await inject('thawLeader')
    await inject('freezeLeader')
    void send('a')
    await clock.advance(PAST_LEASE_MS - 1)
    expect(events).not.toContain('rivals of a')
    await clock.advance(1)
    expect(events.filter((event) => event === 'rivals of a')).toHaveLength(1)
  })

  test('can be thawed while its rivals work, but only once', async () => {
    const { inject, call, clock, events } = await frozenScene()
    await clock.advance(PAST_LEASE_MS)
    await inject('thawLeader')
    await expectRefused(inject('thawLeader'), 'No leader is frozen')
    expect(await call).toBe(DONE)
    expect(events.filter((event) => event === 'write of a arrives')).toHaveLength(1)
  })

  test('that ends, by its time-out or otherwise, sends nothing more, and has no rivals', async () => {
    const { ends, call, events, leader, faults, clock, inject } = await frozenScene()
    ends('a')
    expect(await call).toBe('hangUp')
    expect(leader()).toMatchObject({ frozen: [] })
    expect(faults.isFrozen('a')).toBe(false)
    await clock.advance(PAST_LEASE_MS)
    expect(events).toEqual([])
    await expectRefused(inject('thawLeader'), 'No leader is frozen')
  })

  test('that has died unnoticed sends nothing more after the thaw', async () => {
    const { dies, inject, call, events } = await frozenScene()
    dies('a')
    await inject('thawLeader')
    expect(await call).toBe('hangUp')
    expect(events).toEqual([])
  })

  test('can be killed, and its write never arrives', async () => {
    const { inject, ends, call, events } = await frozenScene()
    await inject('killLeader')
    ends('a')
    expect(await call).toBe('hangUp')
    expect(events).toEqual(['kill a', 'a: killed'])
  })

  test('does not keep a run from ending, and then has no rivals', async () => {
    const { stopping, call, events, clock } = await frozenScene()
    stopping.abort()
    expect(await call).toBe('hangUp')
    await clock.advance(PAST_LEASE_MS)
    expect(events).toEqual([])
    expect(clock.sleeping).toBe(0)
  })

  test('that is cut off meanwhile runs after the thaw, but its write does not arrive', async () => {
    const { inject, injectInto, call, events } = await frozenScene()
    await injectInto('cutOff')
    await inject('thawLeader')
    expect(await call).toBe('hangUp')
    expect(events).toEqual(['1: cut off', 'thaw a', 'a: thawed'])
  })

  test('whose candidate is removed stays frozen until it is thawed', async () => {
    const { inject, injectInto, call, leader, faults } = await frozenScene()
    await injectInto('removeCandidate')
    expect(faults.isFrozen('a')).toBe(true)
    expect(leader()).toMatchObject({ frozen: [1] })
    await inject('thawLeader')
    expect(await call).toBe(DONE)
  })
})

test('after the end of the run, an armed fault hits no leader', async () => {
  const { inject, send, events, leaderIs, stopping } = scene()
  await inject('freezeLeader')
  stopping.abort()
  leaderIs('a')
  expect(await send('a')).toBe(DONE)
  expect(events).toEqual(['write of a arrives'])
})

describe('thawing', () => {
  test('disarms a freeze that has not hit a leader yet', async () => {
    const { inject, send, leader, leaderIs } = scene()
    await inject('freezeLeader')
    await inject('thawLeader')
    expect(leader()).toMatchObject({ armed: undefined })
    leaderIs('a')
    expect(await send('a')).toBe(DONE)
  })

  test('is refused if no leader is frozen, and does not disarm a kill', async () => {
    const { inject, leader } = scene()
    await expectRefused(inject('thawLeader'), 'No leader is frozen')
    await inject('killLeader')
    await expectRefused(inject('thawLeader'), 'No leader is frozen')
    expect(leader()).toMatchObject({ armed: 'killLeader' })
  })
})

describe('a dropped reply', () => {
  test('is that to the candidate’s next request to DynamoDB, which is applied', async () => {
    const { injectInto, send, events, candidate } = scene()
    await injectInto('dropReply')
    expect(candidate(1)).toMatchObject({ dropsNextReply: true })
    expect(await send('b', 'read')).toBe(DONE)
    expect(await send('a', 'charge')).toBe(DONE)
    events.splice(0)
    expect(await send('a', 'read')).toBe('hangUp')
    expect(events).toEqual(['read of a arrives', 'a: reply dropped'])
    expect(candidate(1)).toMatchObject({ dropsNextReply: false })
    expect(await send('a', 'read')).toBe(DONE)
  })

  test('is one of two simultaneous replies', async () => {
    const { injectInto, send } = scene()
    await injectInto('dropReply')
    expect(await Promise.all([send('a'), send('a')])).toEqual(['hangUp', DONE])
  })
})

describe('a candidate that is cut off', () => {
  test('reaches no service until it is reconnected', async () => {
    const { injectInto, send, events, candidate, faults } = scene({ leads: 'a' })
    await injectInto('cutOff')
    expect(candidate(1)).toMatchObject({ isCutOff: true })
    expect([1, 2].map((number) => faults.candidates.isReachable(number))).toEqual([false, true])
    for (const kind of ['acquire', 'write', 'charge', 'complete'] as const) expect(await send('a', kind)).toBe('hangUp')
    expect(await send('b')).toBe(DONE)
    await injectInto('reconnect')
    expect(candidate(1)).toMatchObject({ isCutOff: false })
    expect(await send('a')).toBe(DONE)
    expect(events).toEqual(['1: cut off', 'write of b arrives', '1: reconnected', 'write of a arrives'])
  })

  test('keeps its other faults for when it is reconnected', async () => {
    const { inject, injectInto, send, leader, candidate } = scene()
    await injectInto('dropReply')
    await inject('killLeader')
    await injectInto('cutOff')
    await send('a')
    expect(candidate(1)).toMatchObject({ dropsNextReply: true })
    expect(leader()).toMatchObject({ armed: 'killLeader' })
  })

  test('is recorded only if it changes', async () => {
    const { injectInto, events } = scene()
    for (const name of ['reconnect', 'cutOff', 'cutOff', 'reconnect', 'reconnect'] as const) await injectInto(name)
    expect(events).toEqual(['1: cut off', '1: reconnected'])
  })
})

describe('candidates', () => {
  const NEW = { kind: 'candidate', isPresent: true, skewMs: 0, isCutOff: false, dropsNextReply: false }

  test('are numbered from 1 at the start, each with an entry', () => {
    const { faults, candidate, leader } = scene({ candidates: 3 })
    expect(faults.candidates.present()).toEqual([1, 2, 3])
    expect(candidate(3)).toEqual({ ...NEW, candidate: 3 })
    expect(leader()).toEqual({ kind: 'leader', armed: undefined, frozen: [] })
  })

  test('are added with the lowest free number, up to ten', async () => {
    const { faults, injectInto, events, candidate } = scene()
    await injectInto('removeCandidate', 2)
    expect(faults.candidates.present()).toEqual([1, 3])
    expect(candidate(2)).toMatchObject({ isPresent: false })
    for (let added = 1; added <= 8; added += 1) await faults.inject({ do: 'addCandidate' })
    expect(faults.candidates.present()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    expect(events.slice(0, 3)).toEqual(['2: removed', '2: added', '4: added'])
    await expectRefused(faults.inject({ do: 'addCandidate' }), 'There are already 10 candidates, the maximum')
  })

  test('are removed, except the last one', async () => {
    const { faults, injectInto } = scene({ candidates: 2 })
    await injectInto('removeCandidate', 1)
    await expectRefused(injectInto('removeCandidate', 2), 'The last candidate cannot be removed')
    expect(faults.candidates.present()).toEqual([2])
  })

  test.each<ManualFault>([
    { do: 'removeCandidate', candidate: 3 },
    { do: 'skewClock', candidate: 3, ms: 1_000 },
    { do: 'dropReply', candidate: 3 },
    { do: 'cutOff', candidate: 3 },
    { do: 'reconnect', candidate: 3 },
  ])('that do not exist cannot be hit: %j', async (fault) => {
    const { faults, events } = scene({ candidates: 2 })
    await expectRefused(faults.inject(fault), 'There is no candidate 3, only 1, 2')
    expect(events).toEqual([])
  })

  test('that are removed keep their state for running invocations, and return without it', async () => {
    const { faults, injectInto, send, candidate } = scene()
    await injectInto('cutOff')
    await faults.inject({ do: 'skewClock', candidate: 1, ms: 5_000 })
    await injectInto('removeCandidate')
    expect(await send('a')).toBe('hangUp')
    expect(faults.candidates.skewMs(1)).toBe(5_000)
    await faults.inject({ do: 'addCandidate' })
    expect(candidate(1)).toEqual({ ...NEW, candidate: 1 })
    expect(await send('a')).toBe(DONE)
    expect(faults.candidates.skewMs(1)).toBe(0)
  })

  test.each([
    [2_500, 'clock set 2.5 s ahead'],
    [-60_000, 'clock set 60 s behind'],
    [0, 'clock set right'],
  ])('have a clock that is set by %d ms: %s', async (ms, description) => {
    const { faults, events, candidate } = scene()
    await faults.inject({ do: 'skewClock', candidate: 2, ms: 1 })
    await faults.inject({ do: 'skewClock', candidate: 2, ms })
    expect([1, 2].map((number) => faults.candidates.skewMs(number))).toEqual([0, ms])
    expect(candidate(2)).toMatchObject({ skewMs: ms })
    expect(events.at(-1)).toBe(`2: ${description}`)
  })
})
