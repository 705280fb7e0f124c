import { expect, test } from 'vitest'
import { type Call, compose, type Interceptor } from '../../../infra/local/lambda-host/interceptor.ts'
import { jsonReply } from '../observe/wire.ts'

const CALL: Call = { service: 'dynamodb', operation: 'PutItem', target: 't', body: { n: 0 }, requestId: 'r-1' }
const DONE = jsonReply('done')

test('the first interceptor is nearest to the function, and each one sees the changes of those before it', async () => {
  const seen: unknown[] = []
  const unchanged: Interceptor = (_, forward) => forward()
  const addOne: Interceptor = ({ body: { n } }, forward) => {
    seen.push(n)
    return forward({ n: Number(n) + 1 })
  }
  const answer = await compose(
    addOne,
    unchanged,
    addOne,
    unchanged,
  )(CALL, async (body) => {
    seen.push(body)
    return DONE
  })
  expect([answer, ...seen]).toEqual([DONE, 0, 1, { n: 2 }])
})
