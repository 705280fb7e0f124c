import { expect, test } from 'vitest'
import { compose } from '../../../infra/local/faults/compose.ts'
import type { Call, Interceptor, Reply } from '../../../infra/local/lambda-host/interceptor.ts'

const call: Call = { service: 'dynamodb', operation: 'PutItem', target: 't', body: { n: 0 }, requestId: 'r-1' }
const reply = (body: string): Reply => ({ statusCode: 200, headers: {}, body })

/** Adds one, and notes the number before. */
const addOne =
  (name: string, seen: string[]): Interceptor =>
  (incoming, forward) => {
    seen.push(`${name} ${String(incoming.body['n'])}`)
    return forward({ n: Number(incoming.body['n']) + 1 })
  }
const asItIs: Interceptor = (_, forward) => forward()

test('the first is nearest to the function, and each one sees the changes of those before it', async () => {
  const seen: string[] = []
  let arrived: unknown
  const all = compose(addOne('first', seen), asItIs, addOne('last', seen))
  const answer = await all(call, async (body) => {
    arrived = body
    return reply('done')
  })
  expect(seen).toEqual(['first 0', 'last 1'])
  expect(arrived).toEqual({ n: 2 })
  expect(answer).toEqual(reply('done'))
})

test('a change of the first arrives, though the last changes nothing', async () => {
  let arrived: unknown
  await compose(addOne('first', []), asItIs)(call, async (body) => {
    arrived = body
    return reply('')
  })
  expect(arrived).toEqual({ n: 1 })
})

test('an unchanged request is forwarded as it is, not as a copy', async () => {
  let arrived: unknown = 'nothing'
  await compose(asItIs, asItIs)(call, async (body) => {
    arrived = body
    return reply('')
  })
  expect(arrived).toBeUndefined()
})

test('an interceptor that hangs up hangs up for all before it', async () => {
  let went: string | undefined
  const outer: Interceptor = async (_, forward) => {
    const answer = await forward()
    went = 'on'
    return answer
  }
  expect(await compose(outer, async () => 'hangUp')(call, async () => reply(''))).toBe('hangUp')
  expect(went).toBeUndefined()
})

test('an error of the service is an error for the function', async () => {
  const broken = compose(asItIs, asItIs)(call, async () => Promise.reject(new TypeError('no server')))
  await expect(broken).rejects.toThrow('no server')
})
