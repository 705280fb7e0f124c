// @ts-nocheck
import { expect, test } from 'vitest'
import { Cleanups } from '../../infra/programs/cleanups.ts'

test('undoes everything in the opposite order, also after one that fails, and once', async () => {
  const undone: string[] = []
  const cleanups = new Cleanups()
  cleanups.defer(() => undone.push('first'))
  cleanups.defer(() => Promise.reject(new Error('It is stuck')))
  cleanups.defer(() => undone.push('third'))
  await expect(cleanups[Symbol.asyncDispose]()).rejects.toThrow('It is stuck')
  await cleanups[Symbol.asyncDispose]()
  expect(undone).toEqual(['third', 'first'])
})
