import { PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb'
import { InvokeCommand } from '@aws-sdk/client-lambda'
import { beforeAll, describe, expect, inject, test } from 'vitest'
import { historyKey } from '../../functions/announce/history-row.ts'
import { problemsOf } from '../announce/schemas.ts'
import { clientsOf } from './clients.ts'
import { CARDS, dueNow, seed } from './customers.ts'
import { advance, credentialsOf } from './emulator.ts'
import { listen, type Received } from './event-queue.ts'
import { untilLeading } from './leading.ts'
import { logLinesOf } from './logs.ts'
import { until } from './poll.ts'
import { type DeployedStack, deployedStack, historyRow, LEASE, untilCompleted } from './stack.ts'

const emulator = inject('emulator')

describe.skipIf(emulator === undefined)('what happens to a lease', () => {
  if (emulator === undefined) return
  let stack: DeployedStack
  let received: () => Promise<readonly Received[]>
  let calm: { readonly tick: string; readonly token: number }
  let restless: { readonly tick: string; readonly killed: number; readonly completed: number }

  beforeAll(async () => {
    stack = await deployedStack(emulator)
    received = await listen(stack.clients)
    const calmTick = await advance(emulator)
    calm = { tick: calmTick, token: (await untilCompleted(stack, calmTick)).fencingToken }

    await seed(emulator, stack, dueNow('announced', 4, CARDS.late))
    const tick = await advance(emulator)
    const { pid, fencingToken: killed } = await untilLeading(emulator, stack, tick)
    process.kill(pid, 'SIGKILL')
    restless = { tick, killed, completed: (await untilCompleted(stack, tick)).fencingToken }
  })

  /** The events of one tenure, or of several that followed each other, of which the last completed its tick. */
  const eventsOf = async (first: number, last = first) =>
    until(`the last event of ${last}`, async () => {
      const of = ({ detail }: Received) => Number(detail['fencingToken'])
      const seen = (await received()).filter((event) => of(event) >= first && of(event) <= last)
      return { done: seen.some((event) => event.type === 'TickCompleted' && of(event) === last), seen }
    })

  test('is told on the event bus: who was elected, that the tick was completed, that the lease is free', async () => {
    const events = await eventsOf(calm.token)
    expect(events.map(({ type }) => type).toSorted()).toEqual(['LeaderElected', 'LeaderReleased', 'TickCompleted'])
    for (const { type, source, detail } of events) {
      expect(source).toBe('tenure')
      expect(problemsOf(type, detail)).toBeUndefined()
      expect(detail).toMatchObject({ lease: LEASE, fencingToken: calm.token, id: `${LEASE}/${calm.token}/${type}` })
    }
  })

  test('is told of a leader that died: who took over from whom', async () => {
    const events = await eventsOf(restless.killed, restless.completed)
    expect(events.filter(({ type }) => type === 'TickCompleted')).toHaveLength(1)
    const takeover = events.find(({ type }) => type === 'LeaderTakenOver')
    expect(problemsOf('LeaderTakenOver', takeover?.detail)).toBeUndefined()
    expect(takeover?.detail).toMatchObject({
      fencingToken: restless.killed + 1,
      tick: restless.tick,
      previous: { fencingToken: restless.killed, tick: restless.tick },
    })
  })

  test('is kept as history: one row for each tenure, which expires', async () => {
    const done = await historyRow(stack, calm.token)
    expect(done).toMatchObject({ outcome: { S: 'completed' }, forTick: { S: calm.tick } })
    expect(Number(done?.['ttl']?.N)).toBe(Math.floor(Number(done?.['beganAtMs']?.N) / 1000) + 30 * 86_400)
    expect(await historyRow(stack, restless.killed)).toMatchObject({
      outcome: { S: 'takenOver' },
      successor: { N: String(restless.killed + 1) },
    })
    expect(await historyRow(stack, restless.completed)).toMatchObject({ outcome: { S: 'completed' } })
  })

  test('is counted in the log, from where CloudWatch takes it', async () => {
    const lines = await logLinesOf(stack, stack.announcerLogGroup)
    const counted = lines.filter(({ ticksCompleted }) => ticksCompleted === 1)
    expect(counted[0]).toMatchObject({ lease: LEASE, table: stack.tables.leases, tickDuration: expect.any(Number) })
    expect(lines.filter(({ takeover }) => takeover === 1).length).toBeGreaterThanOrEqual(1)
    const ofCandidates = await logLinesOf(stack, stack.logGroup)
    expect(ofCandidates.some(({ standby, reason }) => standby === 1 && reason === 'held')).toBe(true)
    expect(ofCandidates.some(({ clockSkew }) => clockSkew === 0)).toBe(true)
  })

  test('is shown by the widget, which names the leaders of the last tenures', async () => {
    const { Payload, FunctionError } = await stack.clients.lambda.send(
      new InvokeCommand({
        FunctionName: stack.widgetName,
        Payload: JSON.stringify({ leases: [LEASE, 'payroll'], widgetContext: { theme: 'dark', width: 1200 } }),
      }),
    )
    expect(FunctionError).toBeUndefined()
    const page: unknown = JSON.parse(Buffer.from(Payload ?? []).toString())
    expect(page).toContain('<svg')
    expect(page).toContain(String(restless.completed))
    expect(page).toMatch(/1 taken over/)
    // The role of the widget reads the leases of its dashboard, and no other.
    expect(page).toMatch(/payroll.*Access denied/s)
  })

  test("is beyond the announcer's own role to change: it may write history, and nothing of a lease", async () => {
    const asAnnouncer = clientsOf(emulator, await credentialsOf(emulator, stack.announcerName))
    const TableName = stack.tables.leases
    const write = (record: string, UpdateExpression: string, value: string) =>
      asAnnouncer.dynamodb.send(
        new UpdateItemCommand({
          TableName,
          Key: { lease: { S: LEASE }, record: { S: record } },
          UpdateExpression,
          ExpressionAttributeValues: { ':value': { S: value } },
        }),
      )
    const { record } = historyKey({ lease: LEASE, fencingToken: calm.token })
    await write(record, 'SET candidate = :value', 'somebody')
    const denied = { name: 'AccessDeniedException' }
    for (const attribute of ['holder', 'attempt', 'completedTick', 'fencingToken', 'checkpoint']) {
      await expect(write('LEASE', `SET ${attribute} = :value`, 'somebody')).rejects.toMatchObject(denied)
    }
    const Item = { lease: { S: LEASE }, record: { S: 'LEASE' } }
    await expect(asAnnouncer.dynamodb.send(new PutItemCommand({ TableName, Item }))).rejects.toMatchObject(denied)
  })
})
