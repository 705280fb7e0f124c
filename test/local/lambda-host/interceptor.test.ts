import { expect, test } from 'vitest'
import { type Call, compose, type Interceptor } from '../../../infra/local/lambda-host/interceptor.ts'
import { jsonReply } from '../observe/wire.ts'

const CALL: Call = { service: 'dynamodb', operation: 'PutItem', target: 't', body: { n: 0 }, requestId: 'r-1' }
const DONE = jsonReply('done')
const unchanged: Interceptor = (_, forward) => forward()

async function sendThrough(...interceptors: Parameters<typeof compose>) {
  const arrived: unknown[] = []
  const answer = await compose(...interceptors)(CALL, async (body) => {
    arrived.push(body)
    return DONE
  })
  return { arrived, answer }
}

test('the first is nearest to the function, and each one sees the changes of those before it', async () => {
  const seen: string[] = []
  const addOne =
    (name: string): Interceptor =>
    ({ body: { n } }, forward) => {
      seen.push(`${name} ${String(n)}`)
      return forward({ n: Number(n) + 1 })
    }
  const sent = await sendThrough(addOne('first'), unchanged, addOne('last'), unchanged)
  expect(sent).toEqual({ arrived: [{ n: 2 }], answer: DONE })
  expect(seen).toEqual(['first 0', 'last 1'])
  expect((await sendThrough(unchanged, unchanged)).arrived).toEqual([undefined])
})

test('an interceptor that hangs up hangs up for all before it', async () => {
  let hasContinued = false
  const outer: Interceptor = async (_, forward) => {
    const answer = await forward()
    hasContinued = true
    return answer
  }
  expect(await sendThrough(outer, async () => 'hangUp')).toEqual({ arrived: [], answer: 'hangUp' })
  expect(hasContinued).toBe(false)
})

test('an error of the service is an error for the function', async () => {
  const failing = compose(unchanged, unchanged)(CALL, () => Promise.reject(new TypeError('no server')))
  await expect(failing).rejects.toThrow('no server')
})
