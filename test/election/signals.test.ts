import { getEventListeners } from 'node:events'
import { expect, it } from 'vitest'
import { firstAbort, unlessAborted } from '../../functions/election/signals.ts'

it('a signal that aborted before is heard, and none keeps a listener after the reply', async () => {
  const gone = AbortSignal.abort(new Error('gone'))
  await expect(unlessAborted(new Promise(() => undefined), gone)).rejects.toThrow('gone')
  const { signal } = new AbortController()
  expect(firstAbort(signal, signal, gone, signal).reason).toBe(gone.reason)
  const other = new AbortController().signal
  expect(await unlessAborted(Promise.resolve('replied'), other)).toBe('replied')
  expect(getEventListeners(other, 'abort')).toEqual([])
})
