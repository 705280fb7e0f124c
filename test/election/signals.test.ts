import { getEventListeners } from 'node:events'
import { expect, it } from 'vitest'
import { FirstAbort, unlessAborted } from '../../functions/election/signals.ts'

it('a signal that aborts, before or later, is heard, and none keeps a listener after the reply', async () => {
  const gone = new AbortController()
  for (let before = 0; before < 2; before++) {
    const reply = unlessAborted(new Promise(() => undefined), gone.signal)
    gone.abort(new Error('gone'))
    await expect(reply).rejects.toThrow('gone')
  }
  const other = new AbortController().signal
  expect(await unlessAborted(Promise.resolve('replied'), other)).toBe('replied')
  expect(getEventListeners(other, 'abort')).toEqual([])
})

type Step = 'loss' | 'callers' | 'over'

it.each<[steps: readonly Step[], reason: Step | undefined]>([
  [['loss'], 'loss'],
  [['callers'], 'callers'],
  [['loss', 'callers'], 'loss'],
  [['callers', 'loss'], 'callers'],
  [['over', 'callers'], undefined],
  [['callers', 'over', 'loss'], 'callers'],
  [['over', 'loss'], 'loss'],
])('a signal after %j has the reason of the first, however late it is read', (steps, reason) => {
  for (let readAt = 0; readAt <= steps.length; readAt++) {
    const callers = new AbortController()
    const first = new FirstAbort(callers.signal)
    for (const [index, step] of steps.entries()) {
      if (index === readAt) void first.signal
      if (step === 'callers') callers.abort(step)
      else if (step === 'loss') first.abort(step)
      else first.stopListening()
    }
    expect(first.signal.reason).toBe(reason)
    expect(first.signal).toBe(first.signal)
    expect(getEventListeners(callers.signal, 'abort')).toHaveLength(0)
  }
})
