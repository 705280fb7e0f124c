/** The entry `tenure/s3`: checkpoints too large for the lease row. The row has a pointer to an object in S3. */
// @ts-nocheck

import { createHash } from 'node:crypto'
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import {
  CHECKPOINT_RULE,
  type CheckpointOptions,
  checkedState,
  isCheckpointOptions,
  isVersion,
  readState,
} from './checkpoint.ts'
import { CheckpointError, InvalidOptionError } from './errors.ts'
import { property } from './json.ts'
import type { Lease } from './lease.ts'
import { jsonState } from './plain-data.ts'
import { quoted, show } from './show.ts'
import type { SdkClient } from './stores/sdk-client.ts'
import { Turns } from './turns.ts'

export interface S3CheckpointsOptions<State = unknown> {
  /** An S3Client of the AWS SDK, version 3: of the package `@aws-sdk/client-s3` that your app depends on. */
  readonly client: SdkClient
  readonly bucket: string
  /** What each key begins with. @default `checkpoints/` */
  readonly prefix?: string
  /** As the option of `withLease`, for the states in the objects. Leave that option out: it would see the pointers. */
  readonly checkpoint?: CheckpointOptions<State>
}

/** What the checkpoint of the row says: where its state is. */
export interface S3Pointer {
  readonly bucket: string
  readonly key: string
  /** Of the object's bytes, in hexadecimal digits. */
  readonly sha256: string
  /** Of the option `checkpoint`. */
  readonly version?: number
}

export interface S3Checkpoints<State = unknown> {
  /**
   * Saves the state in a new object, and then the pointer to it by `lease.saveCheckpoint`. Await it before the loop of
   * `lease.ticks()` goes on: the pointer belongs to the tick that is being worked when the object is written. Then
   * `lease.checkpoint` is the pointer: `lease.handOver(lease.checkpoint)` hands the state over.
   * @throws InvalidOptionError that names the path of what JSON cannot hold, CheckpointError, LeaseLostError,
   *   LeaseStoreError, and the client's own errors
   */
  save(lease: SavingLease, state: State): Promise<void>
  /**
   * The state that `lease.checkpoint` points to; undefined if there is none. For that of an earlier tick give
   * `{ name: lease.name, checkpoint: lease.unfinished?.state }`.
   * @throws CheckpointError if the object is gone or damaged, or does not fit; and the client's own errors
   */
  load(lease: LoadingLease): Promise<State | undefined>
}

/** What `save` needs of a lease: one whose checkpoints are pointers, or of an unknown type. */
export type SavingLease = Pick<
  Lease<S3Pointer>,
  'name' | 'tick' | 'fencingToken' | 'signal' | 'assertHeld' | 'saveCheckpoint'
>

export type LoadingLease = Pick<Lease, 'name' | 'checkpoint'> & Partial<Pick<Lease, 'signal'>>

/**
 * Checkpoints of up to 100 MB of JSON, in S3. Each save writes an object of its own, which is never overwritten; its
 * key has lease, tick and fencing token. The pointer to it is saved on the lease row, with the rules of every
 * checkpoint: a leader that was replaced may still write objects, but the row never points to them.
 *
 * Objects are not deleted: give the bucket a lifecycle rule that expires the prefix later than the longest run and its
 * retries. The role needs `s3:PutObject` and `s3:GetObject` on `BUCKET/checkpoints/*`, and `s3:ListBucket` on the
 * bucket, without which S3 does not say that an object is gone. Needs the package `@aws-sdk/client-s3`.
 *
 * A checkpoint that is no pointer was saved before the task used S3: `migrate` gets it, without a version.
 * @example
 * const pages = s3Checkpoints({ client: new S3Client({}), bucket, checkpoint: { version: 1, schema: Pages } })
 * const done = (await pages.load(lease)) ?? { upTo: 0 }
 * await pages.save(lease, { upTo: done.upTo + 1 })
 */
export function s3Checkpoints<State = unknown>(given: S3CheckpointsOptions<State>): S3Checkpoints<State> {
  const { client, bucket, prefix = 'checkpoints/', checkpoint: options } = checkedOptions(given)
  /** Of two saves of a lease, the later one has the last word, even if its object is smaller. */
  const turns = new WeakMap<object, Turns>()
  const send = async (command: object, signal: AbortSignal | undefined): Promise<unknown> =>
    await Reflect.apply(client.send, client, [command, signal === undefined ? {} : { abortSignal: signal }])

  return {
    async save(lease, state) {
      const { name, tick = 'no-tick', fencingToken, signal } = lease
      const copy = jsonState(state, name)
      const Body = Buffer.from(JSON.stringify(copy))
      const inTurn = turns.get(lease) ?? new Turns(1)
      turns.set(lease, inTurn)
      await inTurn.take(async () => {
        if (options !== undefined) await checkedState(options, copy, name)
        lease.assertHeld()
        const key = `${prefix}${name}/${tick}/${fencingToken}-${crypto.randomUUID()}.json`
        try {
          await send(new PutObjectCommand({ Bucket: bucket, Key: key, Body, ContentType: 'application/json' }), signal)
        } catch (error) {
          lease.assertHeld() // the signal may have ended the request
          throw error
        }
        const version = options === undefined ? {} : { version: options.version }
        await lease.saveCheckpoint({ bucket, key, sha256: sha256(Body), ...version })
      })
    },

    async load({ name, checkpoint: saved, signal }) {
      if (saved === undefined) return undefined
      const pointer = pointerIn(saved)
      if (pointer === undefined) return await beforeS3(options, saved, name)
      const get = new GetObjectCommand({ Bucket: pointer.bucket, Key: pointer.key })
      const response = await send(get, signal).catch((cause: unknown) => {
        throw isGone(cause) ? gone(pointer, name, cause) : cause
      })
      const body = await bytesOf(property(response, 'Body'))
      if (sha256(body) !== pointer.sha256) throw damaged(pointer, name)
      const state: State = JSON.parse(new TextDecoder().decode(body))
      return options === undefined ? state : await readState(options, { state, version: pointer.version }, name)
    },
  }
}

function checkedOptions<State>(options: S3CheckpointsOptions<State>): S3CheckpointsOptions<State> {
  const { client, bucket, prefix, checkpoint, ...others }: S3CheckpointsOptions<State> = { ...options }
  const refused = (name: string, expected: string, value: unknown) =>
    new InvalidOptionError(`The option ${name} of s3Checkpoints must be ${expected}, but is ${show(value)}.`)
  const serviceId = property(property(client, 'config'), 'serviceId')
  if (typeof property(client, 'send') !== 'function' || (serviceId ?? 'S3') !== 'S3') {
    throw refused('client', 'an S3Client of the AWS SDK, version 3', serviceId ?? client)
  }
  if (typeof bucket !== 'string' || bucket === '') throw refused('bucket', 'the name of a bucket', bucket)
  if (prefix !== undefined && typeof prefix !== 'string') throw refused('prefix', 'a text', prefix)
  if (checkpoint !== undefined && !isCheckpointOptions(checkpoint)) {
    throw refused('checkpoint', CHECKPOINT_RULE, checkpoint)
  }
  const [unknown] = Object.keys(others)
  if (unknown === undefined) return options
  throw new InvalidOptionError(
    `s3Checkpoints has no option ${show(unknown)}. Options: client, bucket, prefix, checkpoint.`,
  )
}

function pointerIn(value: unknown): S3Pointer | undefined {
  const [bucket, key, hash] = ['bucket', 'key', 'sha256'].map((name) => property(value, name))
  if (typeof bucket !== 'string' || typeof key !== 'string' || typeof hash !== 'string') return undefined
  const version = property(value, 'version')
  return { bucket, key, sha256: hash, ...(isVersion(version) ? { version } : {}) }
}

async function beforeS3<State>(options: CheckpointOptions<State> | undefined, state: unknown, lease: string) {
  if (options !== undefined) return await readState(options, { state }, lease)
  throw new CheckpointError(
    `The checkpoint of lease "${lease}" is no pointer to an object in S3: it was saved before the task used ` +
      's3Checkpoints. Give s3Checkpoints the option checkpoint with a function migrate. The checkpoint is kept.',
    { lease },
  )
}

/** Without the permission s3:ListBucket, S3 refuses to say whether the object exists. */
function isGone(error: unknown): boolean {
  return error instanceof Error && ['NoSuchKey', 'NoSuchBucket', 'AccessDenied'].includes(error.name)
}

function gone({ bucket, key, version }: S3Pointer, lease: string, cause: unknown): CheckpointError {
  const isDenied = property(cause, 'name') === 'AccessDenied'
  const problem = isDenied ? 'is gone, or this role may not read it (s3:GetObject, s3:ListBucket)' : 'is gone'
  return new CheckpointError(
    `The checkpoint of lease "${lease}" points to an object in S3 that ${problem}: bucket ${show(bucket)}, ` +
      `key ${quoted(key, 1024)}. Restore it, or remove the attribute checkpoint of the lease row to start the tick ` +
      'afresh. A lifecycle rule must keep objects longer than the longest run and its retries.',
    { lease, savedVersion: version, cause },
  )
}

function damaged({ bucket, key, version }: S3Pointer, lease: string): CheckpointError {
  return new CheckpointError(
    `The checkpoint of lease "${lease}" is damaged: the object in S3 is not the one that was saved: bucket ` +
      `${show(bucket)}, key ${quoted(key, 1024)}. Restore it, or remove the attribute checkpoint of the lease row to ` +
      'start the tick afresh.',
    { lease, savedVersion: version },
  )
}

/** The body of a response has this method in every version of the SDK that the package allows. */
async function bytesOf(body: unknown): Promise<Uint8Array> {
  const read = property(body, 'transformToByteArray')
  const bytes: unknown = typeof read === 'function' ? await Reflect.apply(read, body, []) : undefined
  if (bytes instanceof Uint8Array) return bytes
  throw new InvalidOptionError('The client of s3Checkpoints returned no body: it must be an S3Client of version 3.')
}

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
