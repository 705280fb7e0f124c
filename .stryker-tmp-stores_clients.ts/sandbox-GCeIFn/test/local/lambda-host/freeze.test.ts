// @ts-nocheck
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { fixtureFunction } from '../fixtures/functions.ts'
import { describeEnvironment, messageOf, startHost, startWaiting } from '../fixtures/hosts.ts'
import { isAlive, stateOf } from '../fixtures/processes.ts'

test('a frozen invocation does nothing until it is thawed, and then goes on; others are not affected', async () => {
  const host = await startHost()
  const frozen = await startWaiting(host, 1_000)
  const other = await startWaiting(host, 300)
  expect([host.freeze('unknown'), host.thaw('unknown'), host.thaw(frozen.requestId)]).toEqual([false, false, false])
  expect([host.freeze(frozen.requestId), host.freeze(frozen.requestId)]).toEqual([true, true])
  await expect.poll(() => stateOf(frozen.pid)).toBe('T')
  await other.ended
  expect(other.attempts).toMatchObject([{ ending: { ok: true } }])
  await sleep(1_300)
  expect(frozen.attempts).toEqual([])
  expect([host.thaw(frozen.requestId), host.thaw(frozen.requestId)]).toEqual([true, false])
  await frozen.ended
  expect(frozen.attempts).toMatchObject([{ ending: { ok: true, value: { pid: frozen.pid } } }])
  expect([host.freeze(frozen.requestId), host.thaw(frozen.requestId)]).toEqual([false, false])
})

test.each([
  ['at its time-out, which keeps running', 500, undefined, 'Task timed out after 0.50 seconds'],
  ['by hand', 60_000, 'kill', 'Runtime exited with error: signal: killed'],
] as const)('a frozen invocation can be killed %s; then it cannot be thawed', async (_, timeoutMs, kill, message) => {
  const host = await startHost()
  const lambda = fixtureFunction({ timeoutMs, retries: 0 })
  const { requestId, pid, attempts, ended } = await startWaiting(host, 60_000, lambda)
  host.freeze(requestId)
  if (kill) expect([await host.kill(requestId), await host.kill('unknown')]).toEqual([true, false])
  await ended
  expect(messageOf(attempts[0])).toBe(message)
  expect(isAlive(pid)).toBe(false)
  expect([host.thaw(requestId), host.freeze(requestId)]).toEqual([false, false])
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
