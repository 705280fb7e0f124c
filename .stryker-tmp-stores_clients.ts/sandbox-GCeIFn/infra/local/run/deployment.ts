/** Deploys the stacks of an app to this machine: synthesizes them, starts DynamoDB Local, and creates their tables. */
// @ts-nocheck

import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CreateTableCommand, DeleteTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import type { Cleanups } from '../../programs/cleanups.ts'
import { type DynamoDBLocal, startDynamoDBLocal } from '../../programs/dynamodb-local.ts'
import { newAccessKey } from '../lambda-host/credentials.ts'
import { readAssembly, type Table } from '../stack/assembly.ts'
import { leaseOf } from '../stack/resources.ts'
import { candidatesOf } from '../stack/schedules.ts'
import { type Synthesis, synthesize } from '../stack/synthesize.ts'

const REGION = 'eu-central-1'
const ACCOUNT = '000000000000'

export type Deployment = Awaited<ReturnType<typeof deployLocally>>

export interface DeploymentOptions extends Omit<Synthesis, 'directory'> {
  readonly signal: AbortSignal
  /** One that is already running, and stays. @default a new one */
  readonly dynamodb?: DynamoDBLocal | undefined
}

/** @param resources gets whatever must be undone, even if this fails half-way */
export async function deployLocally(options: DeploymentOptions, resources: Cleanups) {
  const { dynamodb, directory } = await startAndSynthesize(options, resources)
  const accessKey = newAccessKey() // a secret: it separates the tables of this run from those of others
  const client = new DynamoDBClient({
    endpoint: dynamodb.endpoint,
    region: REGION,
    credentials: { accessKeyId: accessKey, secretAccessKey: 'local' },
  })
  resources.defer(() => client.destroy())
  const names = { region: REGION, account: ACCOUNT, runId: randomUUID().slice(0, 8) }
  const { tables, functions, schedules } = await readAssembly(directory, names)
  const candidates = candidatesOf(schedules, functions)
  const lease = leaseOf(candidates)
  await Promise.all(tables.map((table) => client.send(new CreateTableCommand(table))))
  // A DynamoDB Local that was running before keeps running after the run.
  const deleted = ({ TableName }: Table) => client.send(new DeleteTableCommand({ TableName }))
  resources.defer(() => Promise.allSettled(tables.map(deleted)))
  return { region: REGION, dynamodb, accessKey, client, functions, candidates, lease }
}

/** Both take seconds, so they run side by side. */
async function startAndSynthesize(options: DeploymentOptions, resources: Cleanups) {
  const directory = await mkdtemp(join(tmpdir(), 'tenure-'))
  resources.defer(() => rm(directory, { recursive: true, force: true, maxRetries: 3 }))
  const cancel = new AbortController()
  const signal = AbortSignal.any([options.signal, cancel.signal])
  const { dynamodb: running } = options
  const starting = running === undefined ? startDynamoDBLocal({ signal }) : Promise.resolve(running)
  const synthesizing = synthesize({ ...options, directory, signal })
  resources.defer(async () => {
    cancel.abort()
    await synthesizing.catch(() => undefined) // it writes to the directory that is removed next
    if (running === undefined) await (await starting.catch(() => undefined))?.stop()
  })
  const [dynamodb] = await Promise.all([starting, synthesizing])
  return { dynamodb, directory }
}
