/** One addition to the protected row under the lease, in the ways whose strength is compared. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb'
import { type Lease, LeaseStoreError } from '../../../../functions/election/index.ts'
import type { WorkloadName } from '../workloads.ts'
import { additionsIn, keyOf, putOf, readAdditions, transactPutOf } from './protected-row.ts'
import type { Labelled } from './wire-notes.ts'

export interface Scene {
  readonly client: DynamoDBDocumentClient
  readonly table: string
  /** How long to think between reading and writing. */
  readonly thinkMs: number
  readonly labelled: Labelled
}

/** Returns once the addition was acknowledged; a completion may still have to be asked for again by `withLease`. */
type Task = (lease: Lease, op: string, scene: Scene) => Promise<void>

export const TASKS: Readonly<Record<WorkloadName, Task>> = {
  unfenced: async (lease, op, scene) => {
    const list = await plainRead(lease, op, scene)
    lease.assertHeld() // all that such a task can do
    await scene.labelled({ as: 'effect', op, fencingToken: lease.fencingToken }, () =>
      scene.client.send(new PutCommand(putOf(scene.table, [...list, op]))),
    )
  },
  unclaimed: async (lease, op, scene) => {
    const list = await plainRead(lease, op, scene)
    await fencedWrite(lease, op, list, scene)
  },
  fence: async (lease, op, scene) => {
    const { fencingToken } = lease
    const row = await scene.labelled({ as: 'claim', op, fencingToken }, () => lease.claim(keyOf(scene.table)))
    await sleep(scene.thinkMs)
    await fencedWrite(lease, op, additionsIn(row), scene)
  },
  guard: async (lease, op, scene) => {
    const list = await plainRead(lease, op, scene)
    await lease.transact([transactPutOf(scene.table, [...list, op])])
  },
  complete: async (lease, op, scene) => {
    const list = await plainRead(lease, op, scene)
    try {
      await lease.complete([transactPutOf(scene.table, [...list, op])])
    } catch (error) {
      // It may have happened. Returning lets withLease ask again for the very same completion.
      if (!(error instanceof LeaseStoreError && error.retryable)) throw error
    }
  },
}

async function plainRead(lease: Lease, op: string, { client, table, thinkMs, labelled }: Scene) {
  lease.assertHeld()
  const list = await labelled({ as: 'read', op, fencingToken: lease.fencingToken }, () => readAdditions(client, table))
  await sleep(thinkMs)
  return list
}

async function fencedWrite(lease: Lease, op: string, list: readonly string[], { table, labelled }: Scene) {
  const label = { as: 'effect', op, fencingToken: lease.fencingToken } as const
  try {
    await labelled(label, () => lease.send(putOf(table, [...list, op])))
  } catch (error) {
    // It was applied. The row as it was before, which only the network reads, was lost with the reply.
    if (!(error instanceof LeaseStoreError && error.applied === 'yes')) throw error
  }
}
