import { hostname } from 'node:os'
import { beforeEach, expect, it, onTestFinished, vi } from 'vitest'
import {
  Election,
  type ElectionEvent,
  HandOverRequestedError,
  InvalidOptionError,
  InvalidTickError,
  type Leader,
  LeaseStoreError,
  type StandingLease,
  withLease,
} from '../../../functions/election/index.ts'
import { ManualClock } from '../../../functions/election/testing/manual-clock.ts'
import { B, clock, elect, intercept, LEASE_MS, leads, run, startAnew, store } from './campaigns.ts'

beforeEach(startAnew)

it('one of several leads, and the others stand ready', async () => {
  const all = ['ann', 'bob', 'cy', 'dee'].map((name) => run(elect(name)))
  await clock.advance(60_000)
  expect(await leads(...all)).toHaveLength(1)
  expect((await elect('onlooker').candidates()).map(({ name }) => name)).toEqual(['ann', 'bob', 'cy', 'dee'])
  for (const each of all) each.leave()
  await clock.advance(1_000)
  await Promise.all(all.map(({ done }) => done))
  expect(clock.sleeping).toBe(0)
  expect(await elect('onlooker').candidates()).toEqual([])
})

it('a leader that is gone is replaced when its lease has ended, by the one with the most merit', async () => {
  const itsClock = new ManualClock()
  const ann = run(elect('ann', { merit: 9, clock: itsClock }))
  await itsClock.advance(100) // its time stops here, as that of a process that was killed
  await clock.advance(100)
  expect(await leads(ann)).toEqual(['ann'])
  const [bob, cy] = [run(elect('bob', { merit: 1 })), run(elect('cy', { merit: () => 2 }))]
  const { expiresAtMs = 0 } = (await store.read('jobs')) ?? {}
  await clock.advance(expiresAtMs + B - clock.wallMs() - 1)
  expect(await leads(bob, cy)).toEqual([])
  await clock.advance(2)
  expect(await leads(bob, cy)).toEqual(['cy'])
  for (const each of [bob, cy]) each.leave()
})

it('leaving the loop hands the lease over at once, to the best of those that stand', async () => {
  const ann = run(elect('ann'))
  await clock.advance(100)
  const [bob, cy] = [run(elect('bob', { merit: 1 })), run(elect('cy', { merit: 2 }))]
  await clock.advance(5_000)
  ann.leave()
  await clock.advance(3_100)
  expect(await leads(ann, bob, cy)).toEqual(['cy'])
  expect(ann.turns[0]?.lease.signal.reason).toBeInstanceOf(HandOverRequestedError)
  expect(ann.turns[0]?.lease.signal.reason).toMatchObject({ reason: 'resign' })
  for (const each of [bob, cy]) each.leave()
})

it('a leader that resigns to another candidate keeps the lease for it, and goes on standing', async () => {
  const ann = run(elect('ann', { merit: 9 }))
  await clock.advance(100)
  const [bob, cy] = [run(elect('bob')), run(elect('cy', { merit: 5 }))]
  await clock.advance(5_000)
  const resigned = ann.election.resign({ to: 'bob' })
  await clock.advance(0) // bob may take over within 75 ms
  await resigned
  expect(await store.read('jobs')).toMatchObject({ reservedFor: 'bob', endedBy: 'released' })
  await clock.advance(3_100)
  expect(await leads(ann, bob, cy)).toEqual(['bob'])
  bob.leave()
  await clock.advance(3_100)
  expect(await leads(ann, bob, cy)).toEqual(['ann'])
  for (const each of [ann, cy]) each.leave()
})

it('a leader renews after each third of its lease, whatever else it writes', async () => {
  const renewedAtMs: number[] = []
  intercept(store, ({ renew }) => ({
    renew: (...given) => {
      renewedAtMs.push(clock.monotonicMs())
      return renew(...given)
    },
  }))
  const ann = run(elect('ann'))
  for (let second = 0; second < 60; second++) {
    await clock.advance(1_000)
    await ann.turns[0]?.lease.proclaim(second)
  }
  const thirds = renewedAtMs.slice(1).map((atMs, index) => atMs - (renewedAtMs[index] ?? 0))
  expect(thirds).toEqual(Array(11).fill(LEASE_MS / 3))
  ann.leave()
})

it('a leader writes by its wall clock again once DynamoDB’s agrees, and its deadline follows slowly', async () => {
  const offsets: number[] = []
  intercept(store, ({ renew }) => ({
    renew: async (request, signal) => {
      const nowMs = clock.wallMs()
      offsets.push(request.nowMs - nowMs)
      const clockReading = { sentAtMs: nowMs, dateMs: nowMs - 500, receivedAtMs: nowMs }
      const { look, ...reply } = await renew(request, signal)
      return { ...reply, look: { ...look, clockReading } }
    },
  }))
  const ann = run(elect('ann'))
  await clock.advance(100)
  clock.setWall(-500)
  const lasting: (number | undefined)[] = []
  for (let third = 0; third < 2; third++) {
    await clock.advance(LEASE_MS / 3)
    lasting.push(ann.turns[0]?.lease.remainingMs())
  }
  expect(offsets).toEqual([500, 0])
  // The row's new expiry is 500 ms earlier. Each renewal gives back a thousandth of the time since the last one.
  expect(lasting).toEqual([LEASE_MS - 100 + 5, LEASE_MS - 100 - 500 + 10])
  ann.leave()
})

it('losing the lease is the next turn, and never an exit', async () => {
  const ann = run(elect('ann'))
  await clock.advance(100)
  await store.replaceLeader('jobs')
  await clock.advance(60_000)
  expect(ann.turns).toHaveLength(2)
  expect(ann.turns[0]?.lease.signal.reason).toMatchObject({ name: 'LeaseLostError' })
  ann.leave()
  await clock.advance(100)
  await ann.done
})

it('a table that does not answer ends no campaign, and is asked ever more rarely', async () => {
  let isDown = true
  let asked = 0
  intercept(store, ({ read }) => ({
    read: (lease) => {
      asked++
      return isDown ? Promise.reject(new LeaseStoreError('down', { lease, retryable: true })) : read(lease)
    },
  }))
  const ann = run(elect('ann'))
  await clock.advance(600_000)
  expect(asked).toBeLessThan(100)
  expect(ann.election.health()).toMatchObject({ role: 'standby', lastError: { message: 'down' } })
  isDown = false
  await clock.advance(60_000)
  expect(await leads(ann)).toEqual(['ann'])
  expect(ann.election.health()).not.toHaveProperty('lastError')
  ann.leave()
})

it('a candidate row that cannot be written shows in the health of leader and standby until it is written', async () => {
  let isDown = false
  const refused = new LeaseStoreError('refused', { lease: 'jobs', retryable: true })
  intercept(store, ({ putCandidate }) => ({
    putCandidate: (row) => (isDown ? Promise.reject(refused) : putCandidate(row)),
  }))
  const bob = run(elect('bob'))
  await clock.advance(100)
  isDown = true
  const cy = run(elect('cy'))
  await clock.advance(40_000)
  const lasting = [bob, cy].map(({ election }) => election.health())
  expect(lasting).toMatchObject([
    { role: 'leader', lastError: refused },
    { role: 'standby', lastError: refused },
  ])
  isDown = false
  await clock.advance(40_000)
  for (const { election } of [bob, cy]) expect(election.health()).not.toHaveProperty('lastError')
  for (const each of [bob, cy]) each.leave()
})

it('a clock that is off while its server stands by shows in its health and, at each refresh, in events', async () => {
  const bob = run(elect('bob'))
  await clock.advance(100)
  let offsetMs = 5_000
  intercept(store, ({ read }) => ({
    read: async (lease) => {
      const [sentAtMs, receivedAtMs] = [clock.wallMs(), clock.wallMs()]
      const dateMs = sentAtMs - 1_000 - offsetMs
      return { ...(await read(lease)), clockReading: { sentAtMs, dateMs, receivedAtMs } }
    },
  }))
  const offsets: number[] = []
  const onEvent = (event: ElectionEvent) => void (event.kind === 'clockRead' && offsets.push(event.offsetMs))
  const ann = run(elect('ann', { onEvent }))
  await clock.advance(50_000)
  expect(offsets).toEqual([5_000, 5_000])
  expect(ann.election.health()).toMatchObject({ role: 'standby', lastError: { name: 'ClockSkewError' } })
  offsetMs = 100
  await clock.advance(60_000)
  expect(offsets).toEqual([5_000, 5_000, 100])
  expect(ann.election.health()).not.toHaveProperty('lastError')
  for (const each of [ann, bob]) each.leave()
})

it('a blocked event loop shows in the health of a standby and of a leader, until a timer is in time', async () => {
  const ann = run(elect('ann'))
  await clock.advance(100)
  const bob = run(elect('bob', { pollMs: 4_000 }))
  await clock.advance(100)
  clock.freeze(7_000) // the leader renews after 5 s, and the standby polls after 2 to 6 s
  await clock.advance(0)
  for (const { election } of [ann, bob]) expect(election.health().eventLoopDelayMs).toBeGreaterThan(1_000)
  await clock.advance(7_000)
  for (const { election } of [ann, bob]) expect(election.health().eventLoopDelayMs).toBe(0)
  expect(await leads(ann, bob)).toEqual(['ann'])
  for (const each of [ann, bob]) each.leave()
})

it('a leader that is not healthy hands over, and stands again once it is', async () => {
  let isHealthy = true
  const ann = run(elect('ann', { merit: 9, healthy: () => isHealthy }))
  await clock.advance(100)
  const bob = run(elect('bob'))
  await clock.advance(5_000)
  isHealthy = false
  await clock.advance(10_000)
  expect(await leads(ann, bob)).toEqual(['bob'])
  expect(ann.turns[0]?.lease.signal.reason).toMatchObject({ reason: 'unhealthy' })
  isHealthy = true
  await clock.advance(60_000)
  bob.leave()
  await clock.advance(5_000)
  expect(await leads(ann, bob)).toEqual(['ann'])
  ann.leave()
})

it.each<[string, (lease: StandingLease) => Promise<void>]>([
  ['proclaims', (lease) => lease.proclaim('here')],
  ['saves checkpoints', (lease) => lease.saveCheckpoint(1)],
  ['renews', (lease) => lease.renew()],
])('a leader that %s all the time still asks whether it is healthy', async (_, write) => {
  let isHealthy = true
  const ann = run(elect('ann', { healthy: () => isHealthy }))
  await clock.advance(100)
  isHealthy = false
  for (let second = 0; second < 6 && ann.turns[0]?.lease.signal.aborted === false; second++) {
    await write(ann.turns[0].lease)
    await clock.advance(1_000)
  }
  expect(ann.turns[0]?.lease.signal.reason).toMatchObject({ reason: 'unhealthy' })
  ann.leave()
})

it('a better candidate takes over after the minimum tenure, and only by the margin', async () => {
  const preempt = { margin: 2, minTenureMs: 60_000 }
  const ann = run(elect('ann', { merit: 5, preempt }))
  await clock.advance(100)
  const [bob, cy] = [run(elect('bob', { merit: 6, preempt })), run(elect('cy', { merit: 8, preempt }))]
  await clock.advance(50_000)
  expect(await leads(ann, bob, cy)).toEqual(['ann'])
  await clock.advance(30_000)
  expect(await leads(ann, bob, cy)).toEqual(['cy'])
  expect(ann.turns[0]?.lease.signal.reason).toMatchObject({ reason: 'transfer' })
  await clock.advance(300_000)
  expect(await leads(ann, bob, cy)).toEqual(['cy'])
  expect(cy.turns).toHaveLength(1)
  for (const each of [ann, bob, cy]) each.leave()
})

it('work that does not end in time is given up, and its candidate stands back', async () => {
  const ann = elect('ann', { drainMs: 2_000 })
  const stuck = Promise.withResolvers<void>()
  let held: StandingLease | undefined
  const done = (async () => {
    for await (const lease of ann.campaign()) {
      held = lease
      await stuck.promise
      break
    }
  })()
  await clock.advance(100)
  void ann.resign()
  await clock.advance(1_900)
  held?.assertHeld()
  await clock.advance(200)
  expect(() => held?.assertHeld()).toThrow('was given up')
  const bob = run(elect('bob'))
  await clock.advance(LEASE_MS + B + 3_000)
  expect(await leads(bob)).toEqual(['bob'])
  stuck.resolve()
  await done
  bob.leave()
})

it('observers see the present leader, what it proclaims, and vacancy, each once and in order', async () => {
  const seen: (Leader | undefined)[] = []
  const over = new AbortController()
  const watching = (async () => {
    for await (const { leader } of elect('onlooker').observe({ signal: over.signal })) seen.push(leader)
  })()
  await clock.advance(3_000)
  const ann = run(elect('ann'))
  await clock.advance(5_000)
  await ann.turns[0]?.lease.proclaim({ url: 'http://10.0.0.1' })
  await clock.advance(30_000)
  ann.leave()
  await clock.advance(5_000)
  over.abort()
  await clock.advance(1)
  await watching
  const short = seen.map((leader) => (leader === undefined ? 'vacant' : [leader.candidate, leader.announcement]))
  expect(short).toEqual(['vacant', ['ann', undefined], ['ann', { url: 'http://10.0.0.1' }], 'vacant'])
  expect(await elect('onlooker').leader()).toBeUndefined()
})

it('what an earlier leader proclaimed is not that of its successor', async () => {
  const ann = run(elect('ann'))
  const seen: (Leader | undefined)[] = []
  const over = new AbortController()
  const watching = (async () => {
    for await (const { leader } of elect('onlooker').observe({ signal: over.signal })) seen.push(leader)
  })()
  await clock.advance(100)
  await ann.turns[0]?.lease.proclaim('ann')
  ann.leave()
  await clock.advance(100)
  const bob = run(elect('bob'))
  await clock.advance(100)
  expect(await bob.election.leader()).toMatchObject({ candidate: 'bob' })
  expect(await bob.election.leader()).not.toHaveProperty('announcement')
  await clock.advance(3_000)
  expect(seen.at(-1)).toMatchObject({ candidate: 'bob' })
  expect(seen.at(-1)).not.toHaveProperty('announcement')
  over.abort()
  await watching
  await expect(bob.turns[0]?.lease.proclaim('x'.repeat(5_000))).rejects.toThrow('at most 4096 (4 KB)')
  bob.leave()
})

it('a leader that was asked to hand over leaves no request to its successor', async () => {
  const ann = run(elect('ann'))
  await clock.advance(100)
  const [bob, cy] = [run(elect('bob')), run(elect('cy'))]
  await clock.advance(5_000)
  const { fencingToken: transferBy = 0 } = (await store.read('jobs')) ?? {}
  void ann.election.resign({ to: 'bob' })
  await clock.advance(3_100)
  const transfer = { transferTo: 'cy', transferUntilMs: Math.ceil(clock.wallMs()) + 600_000 }
  await store.edit('jobs', { ...transfer, transferBy })
  await clock.advance(60_000)
  expect(await leads(ann, bob, cy)).toEqual(['bob'])
  await store.edit('jobs', { ...transfer, transferBy: transferBy + 1 })
  await clock.advance(10_000)
  expect(await leads(ann, bob, cy)).toEqual(['cy'])
  for (const each of [ann, bob, cy]) each.leave()
})

it('a pause makes the leader hand over, and keeps all out until it ends', async () => {
  const [ann, bob] = [run(elect('ann')), run(elect('bob'))]
  await clock.advance(5_000)
  await store.edit('jobs', { pausedUntilMs: Math.ceil(clock.wallMs()) + 60_000 })
  await clock.advance(30_000)
  expect(await leads(ann, bob)).toEqual([])
  await clock.advance(35_000)
  expect(await leads(ann, bob)).toHaveLength(1)
  for (const each of [ann, bob]) each.leave()
})

it('a thousand candidates: 200 are read, and one that is not among them still leads when the best do not', async () => {
  const ann = run(elect('ann'))
  await clock.advance(100)
  const row = { lease: 'jobs', identity: 'gone', merit: 9, eligible: true, sinceMs: 0, seenAtMs: clock.wallMs() }
  for (let nth = 0; nth < 1_000; nth++) await store.standing.putCandidate({ ...row, name: `c${nth}` })
  const zoe = run(elect('zoe'))
  await clock.advance(5_000)
  expect(await zoe.election.candidates()).toHaveLength(200)
  ann.leave()
  const [reservedMs, pollMs, headStartsMs] = [10_000, 2_000, 5 * 500]
  await clock.advance(reservedMs + B + headStartsMs + 1.5 * pollMs)
  expect(await leads(zoe)).toEqual(['zoe'])
  zoe.leave()
})

it('rows of servers that are gone hide none that stands', async () => {
  const gone = { lease: 'jobs', identity: 'gone', merit: 9, eligible: true, sinceMs: 0 }
  const seenAtMs = clock.wallMs() - 3 * 30_000 - B - 1
  for (let nth = 0; nth < 450; nth++) await store.standing.putCandidate({ ...gone, seenAtMs, name: `c${nth}` })
  const [zoe, zac] = [run(elect('zoe')), run(elect('zac', { merit: 5 }))]
  await clock.advance(100)
  expect((await zoe.election.candidates()).map(({ name }) => name)).toEqual(['zac', 'zoe'])
  for (const each of [zoe, zac]) each.leave()
})

it('a server that crashes again and again overwrites its own row, if it has no other name than its host', async () => {
  for (let crash = 0; crash < 5; crash++) {
    const itsClock = new ManualClock()
    run(new Election({ store, clock: itsClock, lease: 'jobs' }))
    await itsClock.advance(100) // its time stops here, as that of a process that was killed
  }
  expect(await elect('onlooker').candidates()).toMatchObject([{ name: hostname() }])
})

it('two processes under one name show in the health of both until one of them is gone', async () => {
  const first = run(elect('ann'))
  await clock.advance(100)
  const second = run(elect('ann'))
  await clock.advance(100)
  for (const { election } of [first, second]) expect(election.health()).not.toHaveProperty('lastError')
  await clock.advance(40_000)
  const message = 'Another process stands under the name "ann": give each a `candidate` of its own.'
  for (const { election } of [first, second]) expect(election.health()).toMatchObject({ lastError: { message } })
  second.leave()
  await clock.advance(80_000)
  expect(first.election.health()).not.toHaveProperty('lastError')
  first.leave()
})

it('a lease is for ticks or for servers, and not for both', async () => {
  await withLease({ store, clock, lease: 'jobs', tick: '2026-11-21T05:00:00Z' }, () => undefined)
  await expect(run(elect('ann')).done).rejects.toThrow(InvalidTickError)
  const servers = run(elect('ann', { lease: 'servers' }))
  await clock.advance(100)
  const ticked = withLease({ store, clock, lease: 'servers', tick: '2026-11-21T05:00:00Z' }, () => undefined)
  await expect(ticked).rejects.toThrow('is used without ticks, but this candidate gave one')
  servers.leave()
})

it('a function without ticks stands by while a server leads, and leads once that has resigned', async () => {
  onTestFinished(() => {
    vi.unstubAllEnvs()
  })
  vi.stubEnv('LEASE_TABLE', 'leases')
  vi.stubEnv('LEASE_NAME', 'jobs') // a server and a function read the same variables
  const ann = run(new Election({ store, clock, candidate: 'ann' }))
  await clock.advance(100)
  const invoked = () => withLease({ store, clock, candidate: 'function' }, () => leads(ann))
  expect(await invoked()).toMatchObject({ status: 'standby', reason: 'held', holder: 'ann' })
  const resigned = ann.election.resign()
  await clock.advance(100)
  await resigned
  expect(await invoked()).toMatchObject({ status: 'completed', result: [] })
  await clock.advance(5_000)
  expect(await leads(ann)).toEqual(['ann'])
  expect(ann.tokens().map((token) => token - (ann.tokens()[0] ?? 0))).toEqual([0, 2])
  ann.leave()
  expect(new Election().lease).toBe('jobs')
})

it.each([
  ['a tick', { tick: '2026-11-21T05:00:00Z' }, 'has no option "tick": it stands without ticks'],
  ['a merit that is no number', { merit: 'high' }, 'merit of an Election must be a number'],
  ['a poll of no time', { pollMs: 0 }, 'pollMs of an Election must be a whole number of milliseconds'],
  ['half of preempt', { preempt: { margin: 1 } }, 'preempt of an Election must be an object'],
  ['a misspelt option', { healhty: () => true }, 'Did you mean "healthy"'],
])('refuses %s', (_, options, message) => {
  expect(() => elect('ann', Object(options))).toThrow(InvalidOptionError)
  expect(() => elect('ann', Object(options))).toThrow(message)
})

it('refuses a second campaign while one is under way', async () => {
  const ann = run(elect('ann'))
  await clock.advance(100)
  await expect(ann.election.campaign().next()).rejects.toThrow('campaigns for lease "jobs" already')
  ann.leave()
  await clock.advance(100)
  await ann.done
})
