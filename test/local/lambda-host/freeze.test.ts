import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { fixtureFunction } from '../fixtures/functions.ts'
import { describeEnvironment, messageOf, startHost, startWaiting } from '../fixtures/hosts.ts'
import { isAlive, stateOf } from '../fixtures/processes.ts'

test('a frozen invocation does nothing until it is thawed, and then goes on; others are not affected', async () => {
  const host = await startHost()
  const frozen = await startWaiting(host, 1_000)
  const other = await startWaiting(host, 300)
  expect(host.freeze(frozen.requestId)).toBe(true)
  await expect.poll(() => stateOf(frozen.pid)).toBe('T')
  await other.ended
  expect(other.attempts).toMatchObject([{ ending: { ok: true } }])
  await sleep(1_300)
  expect(frozen.attempts).toEqual([])
  expect(host.working()).toEqual([frozen.requestId])
  expect(host.thaw(frozen.requestId)).toBe(true)
  await frozen.ended
  expect(frozen.attempts).toMatchObject([{ ending: { ok: true, value: { pid: frozen.pid } } }])
})

test('the time-out of a frozen invocation keeps running, and kills it', async () => {
  const host = await startHost()
  const lambda = fixtureFunction({ timeoutMs: 500, retries: 0 })
  const { requestId, pid, attempts, ended } = await startWaiting(host, 60_000, lambda)
  host.freeze(requestId)
  await ended
  expect(messageOf(attempts[0])).toBe('Task timed out after 0.50 seconds')
  expect(isAlive(pid)).toBe(false)
  expect(host.thaw(requestId)).toBe(false)
})

test('a frozen invocation can be killed; then it cannot be thawed or frozen', async () => {
  const host = await startHost()
  const { requestId, pid, attempts, ended } = await startWaiting(host, 60_000)
  host.freeze(requestId)
  const killing = host.kill(requestId)
  expect([host.thaw(requestId), host.freeze(requestId)]).toEqual([false, false])
  expect([await killing, await host.kill('unknown')]).toEqual([true, false])
  await ended
  expect(messageOf(attempts[0])).toBe('Runtime exited with error: signal: killed')
  expect(isAlive(pid)).toBe(false)
})

test('only a running request can be frozen, only a frozen one thawed; freezing twice is freezing once', async () => {
  const host = await startHost()
  const { requestId, attempts, ended } = await startWaiting(host, 1_000)
  expect([host.freeze('unknown'), host.thaw('unknown')]).toEqual([false, false])
  expect(host.thaw(requestId)).toBe(false)
  expect([host.freeze(requestId), host.freeze(requestId)]).toEqual([true, true])
  expect([host.thaw(requestId), host.thaw(requestId)]).toEqual([true, false])
  await ended
  expect(attempts).toMatchObject([{ ending: { ok: true } }])
  expect([host.freeze(requestId), host.thaw(requestId)]).toEqual([false, false])
})

test('an invocation frozen after its answer has ended, and its environment serves the next one', async () => {
  const host = await startHost()
  const { requestId, pid, attempts, ended } = await startWaiting(host, 300)
  // Blocks the host: the answer stays unread in the pipe.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 600)
  expect(host.freeze(requestId)).toBe(true)
  await ended
  expect(attempts).toMatchObject([{ ending: { ok: true } }])
  expect(host.thaw(requestId)).toBe(false)
  expect(await describeEnvironment(host, fixtureFunction({ retries: 0 }))).toMatchObject({ pid, invocations: 2 })
})
