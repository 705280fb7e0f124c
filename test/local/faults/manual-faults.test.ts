import { expect, test } from 'vitest'
import { ManualClock, settled } from '../../../functions/election/testing/manual-clock.ts'
import { Candidates } from '../../../infra/local/faults/candidates.ts'
import { type CandidateFault, FaultError, readFault } from '../../../infra/local/faults/fault.ts'
import { ManualFaults } from '../../../infra/local/faults/manual-faults.ts'
import type { Call, Reply } from '../../../infra/local/lambda-host/interceptor.ts'
import type { CandidateEntry, LeaderEntry } from '../../../infra/local/observe/entries.ts'
import { gatewayCall, LEASES, NEXT_TICK, put, ROWS, wire } from '../observe/wire.ts'

/**
 * Each scenario is a name, and lines of steps; a line with `>` has the events since the last such line. The requests
 * a, b and c are of the candidates 1, 2 and 3, each with a running process; none of them leads at first.
 *
 * - `a write` sends a call that is answered; `a write!` one that is hung up on; `a write?` one that waits; `a write~`
 *   one whose service has not replied yet: `reply` or `error` is that reply. `held done`, `held hangUp` or `held error`
 *   is the end of the first call that waits.
 * - `a leads`; `a ends`; `a dies`, unnoticed; `a retries`; `a starts` again; `wait` (in ms); `stop` ends the run.
 * - `inject` a fault, or `both`, the same one twice at once; `refuse` expects it to fail.
 * - `armed` and `frozen` expect the latest entry of the leader, `total` so many kills and freezes in all.
 */
const SCENARIOS = `
without a fault, every call arrives
  a leads; a acquire; a read; a write; a charge; a renew; a complete; a release
a function that is no candidate is not hit
  gateway leads; inject killLeader; gateway write; inject freezeLeader; gateway write
a kill hits the current leader at once
  b leads; inject killLeader; armed -
  > kill b, b: killed
a kill without a leader hits the next one after its first write, once
  inject killLeader; armed killLeader; a acquire; a leads; a read; a renew; b write
  > acquire of a arrives, read of a arrives, renew of a arrives, write of b arrives
  a write!; armed -; a ends; b leads; b write
  > write of a arrives, kill a, a: killed after PutItem of rows (no reply), write of b arrives
a kill hits after a charge, too
  inject killLeader; a leads; a charge!
  > charge of a arrives, kill a, a: killed after charge at the gateway (no reply)
a kill hits a leader without writes before its completion
  inject killLeader; a leads; a complete!
  > kill a, a: killed before the end of its tenure
a kill hits one of two simultaneous calls
  inject killLeader; a leads; a write~; a write!; reply; held done
  > write of a arrives, write of a arrives, kill a, a: killed after PutItem of rows (no reply)
a kill waits for the next leader if the process has just ended
  a leads; a dies; inject killLeader; armed killLeader
  > -
a kill waits on if the leader ends before it is hit
  inject killLeader; a leads; a write~; a dies; reply; held done; armed killLeader; a ends; b leads; b write!
a kill waits on if the call fails, and the call fails as without it
  inject killLeader; a leads; a write~; error; held error; armed killLeader
a kill in vain does not disarm a later fault
  inject killLeader; a leads; a write~; inject freezeLeader; a dies; reply; held done; armed freezeLeader
two kills hit the leader, and then the next one
  a leads; both killLeader; armed killLeader
  > kill a, a: killed
  a write; a ends; b leads; b write!
  > write of a arrives, write of b arrives, kill b, b: killed after PutItem of rows (no reply)
a kill hits a retry of the same request, too
  a leads; inject killLeader; a retries; inject killLeader
  > kill a, a: killed, kill a, a: killed
a kill that came too late does not protect a retry of the same request
  a leads; a ends; inject killLeader; armed killLeader; a starts; a write!
a freeze waits for the next write, and holds it back
  a leads; inject freezeLeader; armed freezeLeader; frozen -; a read; a charge; a acquire; a renew
  > read of a arrives, charge of a arrives, acquire of a arrives, renew of a arrives
  a write?; armed -; frozen 1
  > freeze a, a: frozen (writing)
a freeze holds back a completion
  a leads; inject freezeLeader; a complete?; frozen 1
a freeze lets other calls continue, and those that the leader had sent before
  a leads; inject freezeLeader; a write?; a write; b write
a freeze without a leader hits the next one
  inject freezeLeader; a write; b leads; a write; b write?; frozen 2
a freeze waits on if the process has just ended, whose call arrives
  a leads; inject freezeLeader; a dies; a write; armed freezeLeader; frozen -
a freeze has the rivals invoked once, when the lease must have expired
  a leads; inject freezeLeader; a write?; wait 16499
  > freeze a, a: frozen (writing)
  wait 1; wait 165000
  > rivals of a
two freezes hit the leader and its successor, and both are thawed together
  a leads; inject freezeLeader; a write?; wait 16500; inject freezeLeader; a write; armed freezeLeader; frozen 1
  b leads; b write?; frozen 1 2; inject thawLeader; held done; held done; frozen -
a freeze replaces an armed kill
  inject killLeader; inject freezeLeader; a leads; a write?; frozen 1
a frozen leader is thawed, and then its write arrives
  a leads; inject freezeLeader; a write?; inject thawLeader; held done; frozen -
  > freeze a, a: frozen (writing), thaw a, a: thawed, write of a arrives
a frozen leader that is thawed early has no rivals; frozen again, it has them after a whole lease
  a leads; inject freezeLeader; a write?; wait 8000; inject thawLeader; inject freezeLeader; a write?; wait 16499
  > freeze a, a: frozen (writing), thaw a, a: thawed, write of a arrives, freeze a, a: frozen (writing)
  wait 1
  > rivals of a
a frozen leader can be thawed while its rivals work, but only once
  a leads; inject freezeLeader; a write?; wait 16500; inject thawLeader; held done
  refuse thawLeader: No leader is frozen
a frozen leader that ends sends nothing more, and has no rivals
  a leads; inject freezeLeader; a write?; a ends; held hangUp; frozen -; wait 16500
  > freeze a, a: frozen (writing)
  refuse thawLeader: No leader is frozen
a frozen leader that has died unnoticed sends nothing more after the thaw
  a leads; inject freezeLeader; a write?; a dies; inject thawLeader; held hangUp
  > freeze a, a: frozen (writing)
a frozen leader can be killed, and its write never arrives
  a leads; inject freezeLeader; a write?; inject killLeader; a ends; held hangUp; total 1 1
  > freeze a, a: frozen (writing), kill a, a: killed
a frozen leader does not keep a run from ending, and then has no rivals
  a leads; inject freezeLeader; a write?; stop; held hangUp; wait 16500
  > freeze a, a: frozen (writing)
a frozen leader that is cut off runs after the thaw, but its write does not arrive
  a leads; inject freezeLeader; a write?; inject cutOff 1; inject thawLeader; held hangUp
  > freeze a, a: frozen (writing), 1: cut off, thaw a, a: thawed
an armed fault hits no leader after the end of the run
  inject freezeLeader; stop; a leads; a write
thawing disarms a freeze that has not hit a leader yet
  inject freezeLeader; inject thawLeader; armed -; a leads; a write
thawing is refused if no leader is frozen, and does not disarm a kill
  refuse thawLeader: No leader is frozen
  inject killLeader; armed killLeader
  refuse thawLeader: No leader is frozen
  armed killLeader
the next reply of DynamoDB to a candidate is dropped, once, and the request is applied
  inject dropReply 1; b read; a charge; a read!; a read
  > read of b arrives, charge of a arrives, read of a arrives, a: reply dropped, read of a arrives
one of two simultaneous replies is dropped
  inject dropReply 1; a write~; a write; reply; held hangUp
a candidate that is cut off reaches no service until it is reconnected
  a leads; inject cutOff 1; a acquire!; a write!; a charge!; a complete!; b write; inject reconnect 1; a write
  > 1: cut off, write of b arrives, 1: reconnected, write of a arrives
a candidate that is cut off keeps its other faults
  inject dropReply 1; inject killLeader; inject cutOff 1; a read!; armed killLeader; inject reconnect 1; a read!
  > 1: cut off, 1: reconnected, read of a arrives, a: reply dropped
a connection is recorded only if it changes
  inject reconnect 1; inject cutOff 1; inject cutOff 1; inject reconnect 1; inject reconnect 1
  > 1: cut off, 1: reconnected
`

const DONE: Reply = { statusCode: 200, headers: {}, body: '{}' }
const REQUESTS = ['a', 'b', 'c']
const CALLS: Readonly<Record<string, Call | undefined>> = {
  ...(await callsOfTenures()),
  read: { service: 'dynamodb', operation: 'GetItem', target: ROWS, body: {}, requestId: 'a' },
  charge: gatewayCall('POST'),
}

/** As the library sends them. */
async function callsOfTenures() {
  const { lead, exchanges } = wire()
  const { lease, finish } = await lead('a')
  await lease.renew()
  await lease.send(put())
  await finish()
  await (await lead('b', { tick: NEXT_TICK })).fail(new RangeError('no'))
  const [acquire, renew, write, complete, , release] = exchanges.map(({ call }) => call)
  return { acquire, renew, write, complete, release }
}

/** Manual faults on candidates with running processes, and the events that they cause. */
function scene() {
  const events: string[] = []
  const entries: (CandidateEntry | LeaderEntry)[] = []
  const alive = new Set(REQUESTS)
  const clock = new ManualClock()
  const stopping = new AbortController()
  const state: { leader?: string } = {}
  const candidateOf = (id: string) => (REQUESTS.includes(id) ? REQUESTS.indexOf(id) + 1 : undefined)
  const signal = (name: string) => (requestId: string) => {
    if (alive.has(requestId)) events.push(`${name} ${requestId}`)
    return alive.has(requestId)
  }
  const faults = new ManualFaults({
    ...{ candidates: 3, leaseTable: LEASES, pastLeaseMs: 16_500, signal: stopping.signal, clock },
    processes: { kill: async (requestId) => signal('kill')(requestId), freeze: signal('freeze'), thaw: signal('thaw') },
    election: {
      leader: () => state.leader,
      isLeading: (requestId) => state.leader === requestId,
      candidateOf,
    },
    onFault: (description, { candidate, requestId } = {}) => events.push(`${requestId ?? candidate}: ${description}`),
    deliverAgain: async (requestId) => void events.push(`rivals of ${requestId}`),
    add: (entry) => entries.push(entry),
  })
  return {
    ...{ faults, events, alive, clock, stopping },
    leaderIs: (requestId: string) => {
      state.leader = requestId
    },
    leader: () => entries.findLast(({ kind }) => kind === 'leader'),
    send: (requestId: string, kind: string, reply: () => Promise<Reply> = async () => DONE) =>
      faults.intercept({ ...(CALLS[kind] ?? unknown(kind)), requestId }, async () => {
        events.push(`${kind} of ${requestId} arrives`)
        return reply()
      }),
  }
}

function unknown(word: string): never {
  throw new Error(`A scenario has the unknown word ${word}`)
}

/** The short forms in the scenarios. */
const full = (event: string) =>
  event.replace(' (writing)', ', with a write on its way').replace(' (no reply)', ', before the reply')

function player() {
  const played = scene()
  const { faults, events, alive, clock, stopping } = played
  const held: Promise<unknown>[] = []
  const replies: PromiseWithResolvers<Reply>[] = []
  const faultOf = ([name, candidate]: readonly string[]) => readFault({ do: name, candidate: Number(candidate) })

  async function call(requestId: string, text: string): Promise<void> {
    const [, kind = '', mark] = /^(\w+)([!?~]?)$/.exec(text) ?? []
    if (mark === '' || mark === '!') {
      expect(await played.send(requestId, kind)).toBe(mark === '!' ? 'hangUp' : DONE)
      return
    }
    const reply = Promise.withResolvers<Reply>()
    if (mark === '~') replies.push(reply)
    const sent = played.send(requestId, kind, mark === '~' ? () => reply.promise : undefined)
    held.push(sent.catch(() => 'error'))
    expect(await Promise.race([sent, settled()])).toBeUndefined()
  }

  const verbs: Readonly<Record<string, (requestId: string) => unknown>> = {
    leads: played.leaderIs,
    starts: (requestId) => alive.add(requestId),
    dies: (requestId) => alive.delete(requestId),
    retries: (requestId) => faults.invocationEnded(requestId),
    ends: (requestId) => [alive.delete(requestId), faults.invocationEnded(requestId)],
  }
  const steps: Readonly<Record<string, (words: readonly string[], text: string) => unknown>> = {
    '>': (_, text) => expect(events.splice(0)).toEqual(text === '-' ? [] : text.split(', ').map(full)),
    inject: (words) => faults.inject(faultOf(words)),
    both: (words) => Promise.all([faults.inject(faultOf(words)), faults.inject(faultOf(words))]),
    total: ([kills, freezes]) =>
      expect(faults.injected()).toEqual({ killLeader: Number(kills), freezeLeader: Number(freezes) }),
    refuse: (_, text) => {
      const [name = '', message] = text.split(': ')
      return expect(faults.inject(faultOf([name]))).rejects.toThrow(new FaultError(message))
    },
    wait: ([ms]) => clock.advance(Number(ms)),
    stop: () => stopping.abort(),
    reply: () => replies.shift()?.resolve(DONE),
    error: () => replies.shift()?.reject(new Error('no answer')),
    held: async ([end]) => expect(await held.shift()).toEqual(end === 'done' ? DONE : end),
    armed: ([name]) => expect(played.leader()).toMatchObject({ armed: name === '-' ? undefined : name }),
    frozen: (words) => {
      const numbers = words[0] === '-' ? [] : words.map(Number)
      expect(played.leader()).toMatchObject({ frozen: numbers })
      expect(REQUESTS.filter(faults.isFrozen).map((id) => REQUESTS.indexOf(id) + 1)).toEqual(numbers)
      expect(faults.hasFrozen()).toBe(numbers.length > 0)
    },
  }
  return async (step: string) => {
    const [first = '', second = '', ...rest] = step.split(' ')
    const run = steps[first]
    if (run !== undefined) await run(second === '' ? [] : [second, ...rest], step.slice(first.length + 1))
    else if (verbs[second] !== undefined) await verbs[second](first)
    else await call(first, second)
  }
}

const scenarios = SCENARIOS.trim()
  .split(/\n(?=\S)/)
  .map((text) => text.split('\n'))
  .map(([name = '', ...lines]) => [name, lines.map((line) => line.trim())] as const)

test.each(scenarios)('%s', async (_, lines) => {
  const play = player()
  for (const line of lines) {
    for (const step of line.startsWith('>') ? [line] : line.split('; ')) await play(step)
  }
})

const NEW = { kind: 'candidate', isPresent: true, skewMs: 0, isCutOff: false, dropsNextReply: false }

/** Candidates that are injected with faults one by one: the name of each, its candidate, its milliseconds. */
function candidatesAfter(...faults: readonly (readonly [CandidateFault['do'], number?, number?])[]) {
  const entries: CandidateEntry[] = []
  const events: string[] = []
  const onFault = (description: string, candidate: number) => events.push(`${candidate}: ${description}`)
  const candidates = new Candidates(2, (entry) => entries.push(entry), onFault)
  const inject = (name: CandidateFault['do'], candidate = 1, ms = 5_000) =>
    candidates.inject({ do: name, candidate, ms })
  for (const fault of faults) inject(...fault)
  return { candidates, inject, events, latest: (number: number) => entries.findLast((one) => one.candidate === number) }
}

test('candidates are added with the lowest free number, up to ten, and removed except the last one', () => {
  const { candidates, inject, events } = candidatesAfter(['removeCandidate', 1])
  expect(() => inject('removeCandidate', 2)).toThrow(new FaultError('The last candidate cannot be removed'))
  expect(candidates.present()).toEqual([2])
  for (let added = 1; added <= 9; added += 1) inject('addCandidate')
  expect(candidates.present()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  expect(events.slice(0, 3)).toEqual(['1: removed', '1: added', '3: added'])
  const full = new FaultError('There are already 10 candidates, the maximum')
  expect(() => inject('addCandidate')).toThrow(full)
})

test('a candidate that does not exist cannot be hit', () => {
  const { inject, events } = candidatesAfter()
  expect(() => inject('cutOff', 3)).toThrow(new FaultError('There is no candidate 3, only 1, 2'))
  expect(events).toEqual([])
  inject('removeCandidate', 2)
  expect(() => inject('cutOff', 2)).toThrow(new FaultError('There is no candidate 2, only 1'))
})

test('a removed candidate keeps its state for running invocations, and returns without it', () => {
  const { candidates, inject, latest } = candidatesAfter(['dropReply'], ['cutOff'], ['skewClock'], ['removeCandidate'])
  const state = { isPresent: false, skewMs: 5_000, isCutOff: true, dropsNextReply: true }
  expect(latest(1)).toMatchObject(state)
  expect([1, 2].map((number) => candidates.isReachable(number))).toEqual([false, true])
  expect([1, 2].map((number) => candidates.skewMs(number))).toEqual([5_000, 0])
  inject('addCandidate')
  expect(latest(1)).toEqual({ ...NEW, candidate: 1 })
  expect([candidates.isReachable(1), candidates.skewMs(1)]).toEqual([true, 0])
})

test.each([
  [2_500, 'clock set 2.5 s ahead'],
  [-60_000, 'clock set 60 s behind'],
  [0, 'clock set right'],
])('a clock that is set by %d ms: %s', (ms, description) => {
  const { candidates, events } = candidatesAfter(['skewClock', 2, 1], ['skewClock', 2, ms])
  expect(candidates.skewMs(2)).toBe(ms)
  expect(events.at(-1)).toBe(`2: ${description}`)
})
