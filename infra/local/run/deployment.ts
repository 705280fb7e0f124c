/** Deploys the stacks of an app to this machine: synthesizes them, starts DynamoDB Local, and creates their tables. */
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CreateTableCommand, DeleteTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import type { Cleanups } from '../../programs/cleanups.ts'
import { type DynamoDBLocal, startDynamoDBLocal } from '../../programs/dynamodb-local.ts'
import { newAccessKey } from '../lambda-host/credentials.ts'
import { Feed } from '../page/feed.ts'
import { readAssembly, type Table } from '../stack/assembly.ts'
import { candidatesOf, leaseOf } from '../stack/schedules.ts'
import { type Synthesis, synthesize } from '../stack/synthesize.ts'
import type { Display } from './display.ts'

const REGION = 'eu-central-1'

export type Deployment = Awaited<ReturnType<typeof deploy>>

export interface DeploymentOptions extends Omit<Synthesis, 'directory'> {
  readonly signal: AbortSignal
  readonly display: Display
  /** One that is already running, and stays. @default a new one */
  readonly dynamodb?: DynamoDBLocal | undefined
}

/** Shows faults in the terminal, too. @param resources gets whatever must be undone, even if this fails half-way */
export async function deploy(options: DeploymentOptions, context: object, resources: Cleanups) {
  const { display } = options
  const feed = new Feed()
  feed.subscribe((updates, isSnapshot) => {
    for (const update of isSnapshot ? [] : updates) {
      if (update.kind === 'fault') display.fault(update)
      if (update.kind === 'effect' && update.verdict === 'unguarded') display.unguarded(update)
    }
  })
  display.note('Synthesizing the stacks and starting DynamoDB Local …')
  const { dynamodb, directory } = await startAndSynthesize(options, context, resources)
  const { endpoint, isForeign = false } = dynamodb
  if (isForeign) display.note(`DynamoDB Local at ${endpoint} is not this run's own: others may read the run's tables.`)
  const accessKey = newAccessKey() // a secret: it separates the tables of this run from those of others
  const credentials = { accessKeyId: accessKey, secretAccessKey: 'local' }
  const client = new DynamoDBClient({ endpoint, region: REGION, credentials })
  resources.defer(() => client.destroy())
  const place = { region: REGION, account: '000000000000' }
  const { tables, functions, schedules } = await readAssembly(directory, randomUUID().slice(0, 8), place)
  const candidates = candidatesOf(schedules, functions)
  const lease = leaseOf(candidates)
  await Promise.all(tables.map((table) => client.send(new CreateTableCommand(table))))
  // A DynamoDB Local that was running before keeps running after the run.
  const deleted = ({ TableName }: Table) => client.send(new DeleteTableCommand({ TableName }))
  resources.defer(() => Promise.allSettled(tables.map(deleted)))
  return { feed, region: REGION, dynamodbEndpoint: endpoint, accessKey, client, functions, candidates, lease }
}

/** Both take seconds, so they run side by side. */
async function startAndSynthesize(options: DeploymentOptions, context: object, resources: Cleanups) {
  const directory = await mkdtemp(join(tmpdir(), 'tenure-'))
  resources.defer(() => rm(directory, { recursive: true, force: true, maxRetries: 3 }))
  const cancel = new AbortController()
  const signal = AbortSignal.any([options.signal, cancel.signal])
  const { dynamodb: running } = options
  const starting = running === undefined ? startDynamoDBLocal({ signal }) : Promise.resolve(running)
  const synthesizing = synthesize({ ...options, context: { ...options.context, ...context }, directory, signal })
  resources.defer(async () => {
    cancel.abort()
    await synthesizing.catch(() => undefined) // it writes to the directory that is removed next
    if (running === undefined) await (await starting.catch(() => undefined))?.stop()
  })
  const [dynamodb] = await Promise.all([starting, synthesizing])
  return { dynamodb, directory }
}
