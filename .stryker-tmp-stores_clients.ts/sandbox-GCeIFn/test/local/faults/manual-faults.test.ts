// @ts-nocheck
import { expect, test } from 'vitest'
import { ManualClock, settled } from '../../../functions/election/testing/manual-clock.ts'
import { FaultError, readFault } from '../../../infra/local/faults/fault.ts'
import { ManualFaults } from '../../../infra/local/faults/manual-faults.ts'
import type { Call, Reply } from '../../../infra/local/lambda-host/interceptor.ts'
import type { CandidateEntry, LeaderEntry } from '../../../infra/local/observe/entries.ts'
import { gatewayCall, LEASES, put, ROWS, wire } from '../observe/wire.ts'

/**
 * Each scenario is a name, and lines of steps; a line with `>` has the events since the last such line. The requests
 * a, b and c are of the candidates 1, 2 and 3, each with a running process; none of them leads at first.
 *
 * - `a write` sends a call that is answered; `a write!` one that is hung up on; `a write?` one that waits; `a write~`
 *   one whose service has not replied yet: `reply` or `error` is that reply. `held done`, `held hangUp` or `held error`
 *   is the end of the first call that waits.
 * - `a leads`; `a ends`; `a dies`, unnoticed; `a retries`; `wait` (in ms); `stop` ends the run.
 * - `inject` a fault, or `both`, the same one twice at once; `refuse` expects it to fail.
 * - `armed` and `frozen` expect the latest entry of the leader, `present` these candidates, `total` so many kills and
 *   freezes in all, `skew` the clock of candidate 1.
 */
const SCENARIOS = `
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
a freeze waits for the next write, and holds it back
  a leads; inject freezeLeader; armed freezeLeader; frozen -; a read; a charge; a acquire; a renew
  > read of a arrives, charge of a arrives, acquire of a arrives, renew of a arrives
  a write?; armed -; frozen 1
  > freeze a, a: frozen (writing)
a freeze lets other calls continue, and those that the leader had sent before
  a leads; inject freezeLeader; a write?; a write; b write
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
a frozen leader that is thawed early has no rivals; frozen again, it has them after a whole lease
  a leads; inject freezeLeader; a write?; wait 8000; inject thawLeader; inject freezeLeader; a write?; wait 16499
  > freeze a, a: frozen (writing), thaw a, a: thawed, write of a arrives, freeze a, a: frozen (writing)
  wait 1
  > rivals of a
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
the next reply of DynamoDB to a candidate is dropped, once, and the request is applied
  inject dropReply 1; b read; a charge; a read!; a read
  > read of b arrives, charge of a arrives, read of a arrives, a: reply dropped, read of a arrives
a candidate that is cut off reaches no service until it is reconnected
  a leads; inject cutOff 1; a acquire!; a write!; a charge!; a complete!; b write; inject reconnect 1; a write
  > 1: cut off, write of b arrives, 1: reconnected, write of a arrives
a candidate that does not exist cannot be hit
  refuse cutOff 4: There is no candidate 4, only 1, 2, 3
  inject removeCandidate 2; refuse cutOff 2: There is no candidate 2, only 1, 3
candidates are added with the lowest free number, and removed except the last one
  inject removeCandidate 1; inject removeCandidate 3
  > 1: removed, 3: removed
  refuse removeCandidate 2: The last candidate cannot be removed
  inject addCandidate; inject addCandidate; inject addCandidate; present 1 2 3 4
  > 1: added, 3: added, 4: added
a removed candidate keeps its state for running invocations, and returns without it
  inject dropReply 1; inject cutOff 1; inject skewClock 1 500; inject removeCandidate 1; a read!; skew 500
  inject addCandidate; skew 0; a read
candidates of ticks hand nothing over by hand
  refuse handOver 2: Only servers that stay can hand over by hand
candidates are at most ten
  ${'inject addCandidate; '.repeat(7)}refuse addCandidate: There are already 10 candidates, the maximum
a clock is set ahead, behind and right
  inject skewClock 1 2500; inject skewClock 1 -60000; inject skewClock 1 0
  > 1: clock set 2.5 s ahead, 1: clock set 60 s behind, 1: clock set right
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
  const [acquire, renew, write, complete] = exchanges.map(({ call }) => call)
  return { acquire, renew, write, complete }
}

function unknown(word: string): never {
  throw new Error(`A scenario has the unknown word ${word}`)
}

/** The short forms in the scenarios. */
const full = (event: string) =>
  event.replace(' (writing)', ', with a write on its way').replace(' (no reply)', ', before the reply')

/** Plays steps on manual faults of three candidates with running processes. */
function player() {
  const events: string[] = []
  const entries: (CandidateEntry | LeaderEntry)[] = []
  const alive = new Set(REQUESTS)
  const clock = new ManualClock()
  const stopping = new AbortController()
  const state: { leader?: string } = {}
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
      candidateOf: (id) => (REQUESTS.includes(id) ? REQUESTS.indexOf(id) + 1 : undefined),
    },
    onFault: (description, { candidate, requestId } = {}) => events.push(`${requestId ?? candidate}: ${description}`),
    deliverAgain: async (requestId) => void events.push(`rivals of ${requestId}`),
    add: (entry) => entries.push(entry),
  })
  const leader = () => entries.findLast(({ kind }) => kind === 'leader')
  const send = (requestId: string, kind: string, reply: () => Promise<Reply> = async () => DONE) =>
    faults.intercept({ ...(CALLS[kind] ?? unknown(kind)), requestId }, async () => {
      events.push(`${kind} of ${requestId} arrives`)
      return reply()
    })
  const held: Promise<unknown>[] = []
  const replies: PromiseWithResolvers<Reply>[] = []
  const faultOf = ([name, candidate, ms]: readonly string[]) =>
    readFault({ do: name, candidate: Number(candidate), ms: Number(ms) })

  async function call(requestId: string, text: string): Promise<void> {
    const [, kind = '', mark] = /^(\w+)([!?~]?)$/.exec(text) ?? []
    if (mark === '' || mark === '!') {
      expect(await send(requestId, kind)).toBe(mark === '!' ? 'hangUp' : DONE)
      return
    }
    const reply = Promise.withResolvers<Reply>()
    if (mark === '~') replies.push(reply)
    const sent = send(requestId, kind, mark === '~' ? () => reply.promise : undefined)
    held.push(sent.catch(() => 'error'))
    expect(await Promise.race([sent, settled()])).toBeUndefined()
  }

  const verbs: Readonly<Record<string, (requestId: string) => unknown>> = {
    leads: (requestId) => {
      state.leader = requestId
    },
    dies: (requestId) => alive.delete(requestId),
    retries: (requestId) => faults.invocationEnded(requestId),
    ends: (requestId) => [alive.delete(requestId), faults.invocationEnded(requestId)],
  }
  const steps: Readonly<Record<string, (words: readonly string[], text: string) => unknown>> = {
    '>': (_, text) => expect(events.splice(0)).toEqual(text === '-' ? [] : text.split(', ').map(full)),
    inject: (words) => faults.inject(faultOf(words)),
    both: (words) => Promise.all([faults.inject(faultOf(words)), faults.inject(faultOf(words))]),
    total: ([kills, freezes]) =>
      expect(faults.injected).toEqual({ killLeader: Number(kills), freezeLeader: Number(freezes) }),
    refuse: (_, text) => {
      const [fault = '', message] = text.split(': ')
      return expect(faults.inject(faultOf(fault.split(' ')))).rejects.toThrow(new FaultError(message))
    },
    wait: ([ms]) => clock.advance(Number(ms)),
    stop: () => stopping.abort(),
    reply: () => replies.shift()?.resolve(DONE),
    error: () => replies.shift()?.reject(new Error('no answer')),
    held: async ([end]) => expect(await held.shift()).toEqual(end === 'done' ? DONE : end),
    skew: ([ms]) => expect(faults.candidates.skewMs(1)).toBe(Number(ms)),
    present: (words) => expect(faults.candidates.present()).toEqual(words.map(Number)),
    armed: ([name]) => expect(leader()).toMatchObject({ armed: name === '-' ? undefined : name }),
    frozen: (words) => {
      const numbers = words[0] === '-' ? [] : words.map(Number)
      expect(leader()).toMatchObject({ frozen: numbers })
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
