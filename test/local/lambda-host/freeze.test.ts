import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { fixtureFunction } from '../fixtures/functions.ts'
import { describeEnvironment, failureOf, startHost, startWaiting } from '../fixtures/hosts.ts'
import { isAlive, stateOf } from '../fixtures/processes.ts'

test('a frozen invocation does nothing until it is thawed, and then goes on', async () => {
  const host = await startHost()
  const { requestId, pid, attempts, ended } = await startWaiting(host, 1_000)
  expect(host.freeze(requestId)).toBe(true)
  await expect.poll(() => stateOf(pid)).toBe('T')
  await sleep(1_300)
  expect(attempts).toEqual([])
  expect(host.thaw(requestId)).toBe(true)
  await ended
  expect(attempts).toMatchObject([{ ending: { ok: true, value: { pid } } }])
})

test('only the environment of that request is frozen', async () => {
  const host = await startHost()
  const frozen = await startWaiting(host, 60_000)
  const other = await startWaiting(host, 300)
  host.freeze(frozen.requestId)
  await other.ended
  expect(other.attempts).toMatchObject([{ ending: { ok: true } }])
  expect(host.working()).toEqual([frozen.requestId])
  expect(stateOf(frozen.pid)).toBe('T')
})

test('the time-out of a frozen invocation goes on, and kills it', async () => {
  const host = await startHost()
  const { requestId, pid, attempts, ended } = await startWaiting(
    host,
    60_000,
    fixtureFunction({ timeoutMs: 500, retries: 0 }),
  )
  host.freeze(requestId)
  await ended
  expect(failureOf(attempts[0])?.error.errorMessage).toBe('Task timed out after 0.50 seconds')
  expect(isAlive(pid)).toBe(false)
  expect(host.thaw(requestId)).toBe(false)
})

test('a frozen invocation can be killed, and not be thawed any more', async () => {
  const host = await startHost()
  const { requestId, pid, attempts, ended } = await startWaiting(host, 60_000)
  host.freeze(requestId)
  const killing = host.kill(requestId)
  expect(host.thaw(requestId)).toBe(false)
  expect(host.freeze(requestId)).toBe(false)
  expect(await killing).toBe(true)
  await ended
  expect(failureOf(attempts[0])?.error.errorMessage).toBe('Runtime exited with error: signal: killed')
  expect(isAlive(pid)).toBe(false)
})

test('stopping ends a frozen invocation', async () => {
  const host = await startHost()
  const { requestId, pid, ended } = await startWaiting(host, 60_000)
  host.freeze(requestId)
  await host.stop()
  await ended
  expect(isAlive(pid)).toBe(false)
  expect(host.thaw(requestId)).toBe(false)
})

test('what is not in work cannot be frozen, and what is not frozen cannot be thawed', async () => {
  const host = await startHost()
  const { requestId, ended } = await startWaiting(host, 300)
  expect(host.freeze('unknown')).toBe(false)
  expect(host.thaw('unknown')).toBe(false)
  expect(host.thaw(requestId)).toBe(false)
  await ended
  expect(host.freeze(requestId)).toBe(false)
  expect(host.thaw(requestId)).toBe(false)
})

test('freezing twice and thawing once is enough', async () => {
  const host = await startHost()
  const { requestId, attempts, ended } = await startWaiting(host, 1_000)
  expect([host.freeze(requestId), host.freeze(requestId)]).toEqual([true, true])
  expect([host.thaw(requestId), host.thaw(requestId)]).toEqual([true, false])
  await ended
  expect(attempts).toMatchObject([{ ending: { ok: true } }])
})

test('an invocation that had answered when it was frozen has ended, and its environment serves the next', async () => {
  const host = await startHost()
  const { requestId, pid, attempts, ended } = await startWaiting(host, 300)
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 600) // blocks the host: the answer lies in the pipe unread
  expect(host.freeze(requestId)).toBe(true)
  await ended
  expect(attempts).toMatchObject([{ ending: { ok: true } }])
  expect(host.thaw(requestId)).toBe(false)
  expect(await describeEnvironment(host, fixtureFunction({ retries: 0 }))).toMatchObject({ pid, invocations: 2 })
})
