import { describe, expect, test } from 'vitest'
import { withLease } from '../../../functions/election/index.ts'
import { dynamodbError } from '../../../infra/local/lambda-host/dynamodb-proxy.ts'
import type { Call, Reply } from '../../../infra/local/lambda-host/interceptor.ts'
import { answerWords, clock, jsonOf, requestWords } from '../../../infra/local/observe/descriptions.ts'
import { loseReply, TICK, wire } from './wire.ts'

type Scene = Awaited<ReturnType<typeof wire>>

/** The words of all requests that reached DynamoDB while this was done, and of what came of each. */
async function told(does: (scene: Scene) => Promise<unknown>) {
  const scene = await wire()
  await does(scene)
  return {
    rows: scene.rows,
    requests: scene.exchanges.map(({ call }) => requestWords(call, scene.leaseTable)),
    answers: scene.exchanges.map(({ call, reply }) => answerWords(call, scene.leaseTable, { reply, got: reply })),
  }
}

const UNTIL = String.raw`until \d\d:\d\d:\d\d\.\d\d\d`

describe('of the library’s own requests', () => {
  test('a tenure reads from its beginning to its end', async () => {
    const { rows, requests, answers } = await told(async ({ lead, rows: TableName }) => {
      const { lease, finish } = await lead('a')
      await lease.renew()
      await lease.saveCheckpoint({ upTo: 7 })
      await lease.send({ TableName, Item: { id: '1' } })
      await lease.claim({ TableName, Key: { id: '1' } })
      await lease.send({ TableName, Key: { id: '1' } })
      await lease.transact([{ Put: { TableName, Item: { id: '2' } } }])
      await lease.transact([{ Put: { TableName, Item: { id: '2' } } }, { Delete: { TableName, Key: { id: '3' } } }])
      await finish()
    })
    expect(requests).toEqual([
      expect.stringMatching(`^Asks for the lease, to hold it ${UNTIL}$`),
      expect.stringMatching(`^Renews the lease ${UNTIL}$`),
      expect.stringMatching(`^Saves a checkpoint, and renews the lease ${UNTIL}$`),
      `Puts a row into ${rows}, unless a newer leader has written it`,
      `Updates a row of ${rows}, unless a newer leader has written it`,
      `Deletes a row of ${rows}, unless a newer leader has written it`,
      'Makes 1 write of its own, if it still leads',
      'Makes 2 writes of its own, if it still leads',
      'Records the tick as done',
    ])
    expect(answers).toEqual([expect.stringMatching(/^granted, with token \d{13}$/), ...Array(8).fill('done')])
  })

  test('a completion says what is done together with it', async () => {
    const { requests } = await told(async ({ lead, rows: TableName }) => {
      const { lease, finish } = await lead('a')
      await lease.complete([{ Put: { TableName, Item: { id: '1' } } }])
      await finish()
    })
    expect(requests[1]).toBe('Records the tick as done, together with 1 write of its own')
  })

  test('giving up says why', async () => {
    const { requests } = await told(async ({ lead }) => {
      const first = await lead('a')
      await first.lease.release()
      await first.finish()
      const second = await lead('b')
      await second.fail(new RangeError('no'))
    })
    expect(requests[1]).toBe('Gives the lease up')
    expect(requests[3]).toBe('Gives the lease up: its task failed with RangeError')
  })

  test('a loser is told who leads, and until when', async () => {
    const leader: { token?: number } = {}
    const { answers } = await told(async ({ lead, optionsOf }) => {
      const { lease, finish } = await lead('a')
      leader.token = lease.fencingToken
      await withLease(optionsOf('b'), () => {})
      await finish()
    })
    expect(answers[1]).toMatch(new RegExp(`^refused: token ${leader.token} leads ${UNTIL}$`))
  })

  test('who comes when the tick is done is told that it is not to be had', async () => {
    const { answers } = await told(async ({ lead, optionsOf }) => {
      await (await lead('a')).finish()
      await withLease(optionsOf('b'), () => {})
    })
    expect(answers.at(-1)).toBe('refused: the lease is not to be had for this tick')
  })

  test('a successor is told whose time had run out, and the token is the one that it gets', async () => {
    const tokens: number[] = []
    const { answers } = await told(async ({ lead, runOut }) => {
      const old = await lead('a')
      await runOut()
      const now = await lead('b')
      tokens.push(old.lease.fencingToken, now.lease.fencingToken)
      await now.finish()
      await old.finish()
    })
    expect(answers[1]).toBe(`granted, with token ${tokens[1]}: the time of token ${tokens[0]} had run out`)
  })
})

test('an effect that is sent again since its reply was lost is told as carried out before', async () => {
  const { answers } = await told(async ({ lead, strike, rows: TableName }) => {
    const { lease, finish } = await lead('a')
    await lease.send({ TableName, Item: { id: '1' } })
    strike(loseReply)
    await lease.send({ TableName, Item: { id: '1' } })
    await finish()
  })
  expect(answers.slice(1)).toEqual(['done', 'done', 'refused, for it was carried out before', 'done'])
})

test.each([
  ['an acquire', 0],
  ['a renewal', 1],
  ['a completion', 2],
])('%s that is asked for again since its reply was lost is told as such', async (_, nth) => {
  const { answers } = await told(async ({ lead, strike }) => {
    if (nth === 0) strike(loseReply)
    const { lease, finish } = await lead('a')
    if (nth === 1) strike(loseReply)
    await lease.renew()
    if (nth === 2) strike(loseReply)
    await finish()
  })
  expect(answers).toHaveLength(4)
  expect(answers[nth]).toMatch(/^(done|granted, with token \d+)$/)
  expect(answers[nth + 1]).toBe('refused, for it was carried out before')
})

const call = (changes: Partial<Call> = {}): Call => ({
  service: 'dynamodb',
  operation: 'PutItem',
  target: 'rows',
  body: {},
  requestId: 'a',
  ...changes,
})
const gateway = (method?: string) =>
  call({ service: 'lambda', operation: 'Invoke', target: 'sandbox', body: method === undefined ? {} : { method } })
const reply = (body: unknown, statusCode = 200): Reply => ({ statusCode, headers: {}, body: JSON.stringify(body) })

test.each([
  [gateway('POST'), 'Asks the gateway to charge'],
  [gateway('GET'), 'Asks the gateway what became of an earlier charge'],
  [gateway(), 'Invokes sandbox'],
  [call({ operation: 'UpdateItem' }), 'Updates a row of rows'],
  [call({ operation: 'DeleteItem' }), 'Deletes a row of rows'],
  [call({ operation: 'GetItem' }), 'Reads a row of rows'],
  [call({ operation: 'Query' }), 'Asks for rows of rows'],
  [call({ operation: 'DescribeTable' }), 'DescribeTable of rows'],
  [call({ operation: 'ListTables', target: '' }), 'ListTables'],
  [call({ operation: 'TransactWriteItems', target: '' }), 'TransactWriteItems'],
])('another request is told in plain words: %#', (asked, words) => {
  expect(requestWords(asked, 'leases')).toBe(words)
})

test('giving up without the name of an error says only that the task failed', () => {
  const body = { Key: { lease: { S: 'billing' } }, ExpressionAttributeValues: { ':endedBy': { S: 'failed' } } }
  expect(requestWords(call({ operation: 'UpdateItem', target: 'leases', body }), 'leases')).toBe(
    'Gives the lease up: its task failed',
  )
})

describe('what came of a call', () => {
  const done = reply({})
  const of = (asked: Call, answered: Parameters<typeof answerWords>[2]) => answerWords(asked, 'leases', answered)
  const refused = dynamodbError('ConditionalCheckFailedException', 'The conditional request failed')

  test('that was answered', () => {
    expect(of(call(), { reply: done, got: done })).toBe('done')
  })

  test('that never arrived', () => {
    expect(of(call(), { got: 'hangUp' })).toBe('never arrived')
  })

  test('that was answered by somebody on the way', () => {
    const throttled = dynamodbError('ThrottlingException', 'no')
    expect(of(call(), { got: throttled })).toBe('not let through: ThrottlingException')
  })

  test('whose reply was lost, or changed on the way', () => {
    expect(of(call(), { reply: done, got: 'hangUp' })).toBe('done; but the reply was lost')
    expect(of(call(), { reply: refused, got: 'hangUp' })).toBe(
      'refused: its condition does not hold; but the reply was lost',
    )
    expect(of(gateway('POST'), { reply: reply({ statusCode: 200 }), got: reply({ statusCode: 504 }) })).toBe(
      'done; but the function got another answer',
    )
  })

  test.each(['ConditionalCheckFailedException', 'TransactionCanceledException'])(
    'that was refused with %s, by the fence where another has taken over',
    (type) => {
      const answer = dynamodbError(type, 'no')
      expect(of(call(), { reply: answer, got: answer })).toBe('refused: its condition does not hold')
      expect(of(call(), { reply: answer, got: answer, successor: 8 })).toBe('refused: token 8 has taken over')
    },
  )

  test('that failed otherwise is told by the name of the error', () => {
    const failed = reply({}, 500)
    expect(of(call(), { reply: failed, got: failed, successor: 8 })).toBe('HTTP 500')
  })

  test.each([
    [{ statusCode: 200 }, 'done'],
    [{ statusCode: 402 }, 'declined'],
    [{ statusCode: 503 }, 'HTTP 503'],
    [{ statusCode: 200, headers: { 'idempotent-replayed': 'true' } }, 'answered as before, nothing charged'],
    [{ errorType: 'RangeError', errorMessage: 'no' }, 'failed with RangeError'],
    [null, 'done'],
  ])('at the gateway: %j', (body, words) => {
    expect(of(gateway('POST'), { reply: reply(body), got: reply(body) })).toBe(words)
  })

  test('a refused acquire of which DynamoDB does not say until when', () => {
    const values = { ':now': { N: '1' }, ':expiresAt': { N: '2' } }
    const acquire = call({
      operation: 'UpdateItem',
      target: 'leases',
      body: { Key: { lease: { S: 'billing' } }, ExpressionAttributeValues: values },
    })
    const Item = { holder: { S: 'ann' }, fencingToken: { N: '7' } }
    const answer = dynamodbError('ConditionalCheckFailedException', 'no', 400, { Item })
    expect(of(acquire, { reply: answer, got: answer })).toBe('refused: token 7 leads')
  })
})

test('a time is told to the millisecond in UTC, and what is no instant as its number', () => {
  expect(clock(Date.parse(TICK) + 61_007)).toBe('00:01:01.007')
  expect(clock(8.64e15)).toBe('00:00:00.000')
  expect(clock(8.64e15 + 1)).toBe(String(8.64e15 + 1))
})

test('what is no JSON is told as it came', () => {
  expect(jsonOf({ body: '{"a":1}' })).toEqual({ a: 1 })
  expect(jsonOf({ body: '<html>' })).toBe('<html>')
})
