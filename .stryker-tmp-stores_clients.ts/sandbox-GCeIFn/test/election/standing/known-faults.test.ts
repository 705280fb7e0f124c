/** Faults that users of other libraries have reported. None of them happens here. */
// @ts-nocheck

import { beforeEach, expect, inject, it, vi } from 'vitest'
import {
  DynamoDBLeaseStore,
  Election,
  type ElectionEvent,
  LeaseLostError,
  type LeaseStore,
  LeaseStoreError,
} from '../../../functions/election/index.ts'
import { ManualClock } from '../../../functions/election/testing/manual-clock.ts'
import { createLeaseTable, localClient } from '../../support/tables.ts'
import { B, clock, elect, intercept, LEASE_MS, leads, run, startAnew, store } from './campaigns.ts'

beforeEach(startAnew)

const down = new LeaseStoreError('down', { lease: 'jobs', retryable: true })

/** A store whose requests fail, of one candidate, until they are let through again. */
function cutOffStore() {
  let isDown = true
  const through = <Args extends unknown[], Reply>(send: (...args: Args) => Promise<Reply>) => {
    return (...args: Args) => (isDown ? Promise.reject<Reply>(down) : send(...args))
  }
  const { read, renew, candidates, putCandidate, removeCandidate, requestTransfer } = store.standing
  const own: LeaseStore = {
    acquire: through((...args) => store.acquire(...args)),
    write: through((...args) => store.write(...args)),
    giveBack: through((...args) => store.giveBack(...args)),
    standing: {
      read: through(read),
      renew: through(renew),
      candidates: through(candidates),
      putCandidate: through(putCandidate),
      removeCandidate: through(removeCandidate),
      requestTransfer: through(requestTransfer),
    },
  }
  return {
    own,
    cut: (cut: boolean) => {
      isDown = cut
    },
  }
}

// https://github.com/kubernetes/client-go/issues/1155
it('a renewal that fails does not end the candidacy', async () => {
  const { own, cut } = cutOffStore()
  cut(false)
  const ann = run(elect('ann', { store: own }))
  await clock.advance(100)
  cut(true)
  await clock.advance(120_000)
  expect(ann.turns[0]?.lease.signal.reason).toBeInstanceOf(LeaseLostError)
  cut(false)
  await clock.advance(LEASE_MS)
  expect(await leads(ann)).toEqual(['ann'])
  expect(ann.turns).toHaveLength(2)
  ann.leave()
})

// https://github.com/etcd-io/etcd/issues/19597
it('a candidate whose lease has expired when the answer comes does not lead by it', async () => {
  const acquire = store.acquire.bind(store)
  let late: number | undefined
  store.acquire = async (request, signal) => {
    const reply = await acquire(request, signal)
    if (late !== undefined) return reply
    late = reply.granted ? reply.record.fencingToken : Number.NaN
    await clock.sleep(LEASE_MS)
    return reply
  }
  const leftMs: number[] = []
  const ann = elect('ann')
  const leave = new AbortController()
  const done = (async () => {
    for await (const lease of ann.campaign({ signal: leave.signal })) {
      leftMs.push(lease.remainingMs())
      expect(lease.fencingToken).toBeGreaterThan(late ?? Number.NaN)
      break
    }
  })()
  await clock.advance(LEASE_MS * 3)
  await done
  expect(leftMs).toEqual([LEASE_MS])
})

// https://github.com/etcd-io/etcd/issues/21128
it('a campaign that ends without leading leaves no candidate behind, not even by a write under way', async () => {
  const ann = run(elect('ann'))
  await clock.advance(100)
  intercept(store, ({ putCandidate }) => ({
    putCandidate: async (row) => {
      await clock.sleep(1_000)
      return await putCandidate(row)
    },
  }))
  const bob = run(elect('bob', { refreshMs: 5_000 }))
  await clock.advance(6_500)
  bob.leave()
  await clock.advance(1_500)
  await bob.done
  expect((await ann.election.candidates()).map(({ name }) => name)).toEqual(['ann'])
  ann.leave()
})

// https://github.com/microsoft/etcd3/issues/158
it('a candidate whose lost turn still runs begins no second one', async () => {
  const ann = elect('ann')
  const stuck = Promise.withResolvers<void>()
  let turns = 0
  const leave = new AbortController()
  const done = (async () => {
    for await (const _lease of ann.campaign({ signal: leave.signal })) if (++turns === 1) await stuck.promise
  })()
  await clock.advance(100)
  await store.replaceLeader('jobs')
  await clock.advance(20_000)
  expect(await ann.candidates()).toMatchObject([{ name: 'ann', eligible: false }])
  await clock.advance(100_000)
  expect(turns).toBe(1)
  stuck.resolve()
  await clock.advance(20_000)
  expect(turns).toBeGreaterThan(1)
  expect(turns).toBeLessThan(15) // a turn that ends at once is no reason to ask without end
  leave.abort()
  await clock.advance(1_000)
  await done
})

// https://github.com/kubernetes/kubernetes/issues/23731
it('a leader that is cut off learns that it has lost before another one leads', async () => {
  const { own, cut } = cutOffStore()
  cut(false)
  const ann = run(elect('ann', { store: own }))
  await clock.advance(100)
  const bob = run(elect('bob'))
  await clock.advance(100)
  cut(true)
  for (let waitedMs = 0; bob.turns.length === 0 && waitedMs < LEASE_MS * 2; waitedMs += 100) {
    expect(await leads(ann, bob)).not.toEqual(['ann', 'bob'])
    await clock.advance(100)
  }
  expect(ann.turns[0]?.lease.signal.reason).toBeInstanceOf(LeaseLostError)
  expect(await leads(ann, bob)).toEqual(['bob'])
  for (const each of [ann, bob]) each.leave()
})

// https://github.com/kubernetes/client-go/issues/1187
it('a candidate that never led reports neither a turn nor a loss', async () => {
  const events: ElectionEvent['kind'][] = []
  const ann = run(elect('ann'))
  await clock.advance(100)
  const bob = run(elect('bob', { onEvent: ({ kind }) => void events.push(kind) }))
  await clock.advance(60_000)
  bob.leave()
  await clock.advance(100)
  await bob.done
  expect(bob.turns).toEqual([])
  expect(events).not.toContain('elected')
  expect(events).not.toContain('lost')
  ann.leave()
})

// https://github.com/kubernetes-sigs/controller-runtime/issues/1132
it('the lease is not released while the work still runs', async () => {
  const ann = elect('ann')
  const leave = new AbortController()
  const done = (async () => {
    for await (const lease of ann.campaign({ signal: leave.signal })) {
      await clock.sleep(1e9, lease.signal)
      await clock.sleep(9_000)
      lease.assertHeld()
    }
  })()
  await clock.advance(100)
  leave.abort()
  await clock.advance(8_900)
  expect(await store.read('jobs')).toMatchObject({ holder: 'ann' })
  await clock.advance(200)
  await done
  expect(await store.read('jobs')).not.toHaveProperty('holder')
})

// https://github.com/kubernetes/kubernetes/issues/132599, https://github.com/google/trillian/issues/3789
it('the lease is released on shutdown, also if the shutdown comes while it is acquired', async () => {
  const acquire = store.acquire.bind(store)
  let ann: ReturnType<typeof run> | undefined
  store.acquire = async (request) => {
    const reply = await acquire(request)
    ann?.leave()
    return reply
  }
  ann = run(elect('ann'))
  await clock.advance(1_000)
  await ann.done
  expect(ann.turns).toEqual([])
  expect(await store.read('jobs')).toMatchObject({ endedBy: 'released' })
  expect(await store.read('jobs')).not.toHaveProperty('holder')
})

// https://github.com/etcd-io/etcd/issues/22082
it('a release that is sent again does not release the lease of the next leader', async () => {
  const write = store.write.bind(store)
  const releases: (() => ReturnType<typeof write>)[] = []
  store.write = (request, signal) => {
    if (request.kind === 'release') releases.push(() => write(request))
    return write(request, signal)
  }
  const ann = run(elect('ann'))
  await clock.advance(100)
  const bob = run(elect('bob'))
  await clock.advance(5_000)
  ann.leave()
  await clock.advance(5_000)
  expect(await leads(bob)).toEqual(['bob'])
  expect(await releases[0]?.()).toMatchObject({ granted: false })
  expect(await store.read('jobs')).toMatchObject({ holder: 'bob' })
  bob.leave()
})

// https://github.com/apache/curator/issues/1211, https://github.com/apache/curator/issues/1137
it('a leader that reconnects after another has taken over does not lead', async () => {
  const { own, cut } = cutOffStore()
  cut(false)
  const ann = run(elect('ann', { store: own, merit: 9 }))
  await clock.advance(100)
  const bob = run(elect('bob'))
  cut(true)
  await clock.advance(LEASE_MS * 2)
  cut(false)
  for (let second = 0; second < 60; second++) {
    await clock.advance(1_000)
    expect(await leads(ann, bob)).toEqual(['bob'])
  }
  expect(() => ann.turns[0]?.lease.assertHeld()).toThrow(LeaseLostError)
  for (const each of [ann, bob]) each.leave()
})

// https://github.com/apache/curator/issues/1038
it('an exception, or no answer, of a function of the caller does not end the election', async () => {
  let fails = true
  const failing = () => {
    if (fails) throw new Error('not ready')
    return true
  }
  const hanging = () => (fails ? new Promise<boolean>(() => undefined) : true)
  const merit = () => Promise.reject<number>(new Error('no merit'))
  const onEvent = () => {
    throw new Error('no listener')
  }
  const [ann, bob] = [run(elect('ann', { eligible: failing, onEvent })), run(elect('bob', { healthy: hanging, merit }))]
  await clock.advance(60_000)
  expect(await leads(ann, bob)).toEqual([])
  fails = false
  await clock.advance(40_000)
  expect(await leads(ann, bob)).toHaveLength(1)
  for (const each of [ann, bob]) each.leave()
})

// https://github.com/spring-cloud/spring-cloud-kubernetes/issues/210
it('a process that restarts under its name leads again, under a new token, and learns so', async () => {
  const itsClock = new ManualClock()
  const killed = run(elect('ann', { clock: itsClock }))
  await itsClock.advance(100) // its time stops here, as that of a process that was killed
  const ann = run(elect('ann'))
  await clock.advance(LEASE_MS + B + 100)
  expect(ann.tokens()).toEqual(killed.tokens().map((token) => token + 1))
  ann.leave()
})

// https://github.com/etcd-io/etcd/issues/17623
it('credentials that expire during a long wait are asked for again', async () => {
  const endpoint = inject('dynamodbEndpoint')
  const tableName = await createLeaseTable(localClient(endpoint))
  const keys = { accessKeyId: 'local', secretAccessKey: 'local' }
  const credentials = vi.fn(async () => ({ ...keys, expiration: new Date(Date.now() + 100) }))
  const client = localClient(endpoint, { credentials })
  const options = { lease: 'jobs', pollMs: 50 }
  const ann = run(new Election({ ...options, candidate: 'ann', store: new DynamoDBLeaseStore({ tableName, client }) }))
  await expect.poll(() => credentials.mock.calls.length).toBeGreaterThan(0)
  const waiting = new DynamoDBLeaseStore({ tableName, client: localClient(endpoint, { credentials }) })
  const bob = run(new Election({ ...options, candidate: 'bob', store: waiting }))
  const before = credentials.mock.calls.length
  await expect.poll(() => credentials.mock.calls.length).toBeGreaterThan(before + 5)
  expect(bob.election.health()).not.toHaveProperty('lastError')
  for (const each of [ann, bob]) {
    each.leave()
    await each.done
  }
})
