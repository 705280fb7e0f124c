import { expect, test } from 'vitest'
import { Cleanups } from '../../infra/programs/cleanups.ts'

test('undoes everything in the opposite order, also after one that fails, and once', async () => {
  const undone: string[] = []
  const cleanups = new Cleanups()
  cleanups.defer(() => undone.push('first'))
  cleanups.defer(async () => {
    undone.push('second')
    throw new Error('It is stuck')
  })
  cleanups.defer(() => undone.push('third'))
  await expect(cleanups[Symbol.asyncDispose]()).rejects.toThrow('It is stuck')
  await cleanups[Symbol.asyncDispose]()
  expect(undone).toEqual(['third', 'second', 'first'])
})

test('what was handed over is undone by the new owner alone', async () => {
  const undone: string[] = []
  const cleanups = new Cleanups()
  cleanups.defer(() => undone.push('it'))
  const moved = cleanups.move()
  await cleanups[Symbol.asyncDispose]()
  expect(undone).toEqual([])
  await moved[Symbol.asyncDispose]()
  expect(undone).toEqual(['it'])
})
