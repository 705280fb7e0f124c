/** What takes longest at the start of a run: DynamoDB Local and the synthesis, side by side. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DynamoDBLocal, startDynamoDBLocal } from '../../programs/dynamodb-local.ts'
import type { Json } from './intrinsics.ts'
import { type Assembly, synthesize } from './synthesize.ts'

export interface Prepared {
  readonly dynamodb: DynamoDBLocal
  readonly assembly: Assembly
}

export interface Preparation {
  /** The command that synthesizes the stacks, run in `root`. */
  readonly app: string
  readonly root: string
  readonly context: Readonly<Record<string, Json>>
  /** A DynamoDB Local that runs already, and stays. @default one of its own */
  readonly dynamodb?: DynamoDBLocal | undefined
  readonly signal: AbortSignal
}

/** @param resources undoes it all, also where this fails half-way */
export async function prepare(preparation: Preparation, resources: AsyncDisposableStack): Promise<Prepared> {
  const { app, root, context, dynamodb: running, signal } = preparation
  const directory = await mkdtemp(join(tmpdir(), 'tenure-'))
  resources.defer(() => rm(directory, { recursive: true, force: true, maxRetries: 3 }))
  const cancel = new AbortController()
  const early = AbortSignal.any([signal, cancel.signal])
  const starting = running === undefined ? startDynamoDBLocal({ signal: early }) : Promise.resolve(running)
  resources.defer(async () => {
    cancel.abort()
    if (running === undefined) await (await starting.catch(() => undefined))?.stop()
  })
  const synthesizing = synthesize({ app, directory, context, signal: early }, root)
  // Its directory is removed next: not while it still writes there.
  resources.defer(async () => {
    cancel.abort()
    await synthesizing.catch(() => undefined)
  })
  const [dynamodb, assembly] = await Promise.all([starting, synthesizing])
  return { dynamodb, assembly }
}
