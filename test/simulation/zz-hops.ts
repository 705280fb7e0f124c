import { DynamoDBClient, UpdateItemCommand } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient, QueryCommand, UpdateCommand, TransactWriteCommand } from '@aws-sdk/lib-dynamodb'
import { wholeClient } from './dynamodb-client.ts'
import { shortClient } from './short-client.ts'
import { observeWire } from '../../functions/election/stores/wire.ts'
let hops = 0, gen = 0
async function count() { hops = 0; const mine = ++gen; while (mine === gen) { await undefined; if (mine === gen) hops++; if (hops > 1000) return } }
let sentAt = 0, repliedAt = 0
let answer: any
const wire: any = { send: () => { sentAt = hops; return new Promise((resolve, reject) => setImmediate(() => { void count(); if (answer instanceof Error) reject(answer); else resolve(answer) })) } }
const clock: any = { wallMs: () => 0 }
const commands: Record<string, () => any> = {
  raw: () => new UpdateItemCommand({ TableName: 't', Key: { id: { S: 'x' } } }),
  watched: () => { const c = new UpdateItemCommand({ TableName: 't', Key: { id: { S: 'x' } } }); observeWire(c, clock); return c },
  update: () => new UpdateCommand({ TableName: 't', Key: { id: 'x' } }),
  query: () => new QueryCommand({ TableName: 't' }),
  querySignal: () => new QueryCommand({ TableName: 't' }),
  transact: () => new TransactWriteCommand({ TransactItems: [{ Update: { TableName: 't', Key: { id: 'x' }, UpdateExpression: 'SET a = b' } }] }),
}
for (const [name, make] of Object.entries(commands)) for (const [what, reply] of Object.entries({ ok: { status: 200, body: {}, dateMs: 0 }, refused: { status: 400, body: { __type: 'x#ConditionalCheckFailedException', message: 'm' }, dateMs: 0 } }) ) {
  const row = [name, what]
  for (const client of [wholeClient(wire), shortClient(wire)]) for (let nth = 0; nth < 2; nth++) {
    answer = reply
    void count()
    const done = client.send(make(), name === 'querySignal' ? { abortSignal: new AbortController().signal } : undefined).then(() => { repliedAt = hops; gen++ }, () => { repliedAt = hops; gen++ })
    await done
    await new Promise((r) => setImmediate(r))
    row.push(`there ${sentAt} back ${repliedAt}`)
  }
  console.log(row.join(' | '))
}
