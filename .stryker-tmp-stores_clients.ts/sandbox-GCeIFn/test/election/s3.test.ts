// @ts-nocheck
import { createServer } from 'node:http'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { S3, S3Client } from '@aws-sdk/client-s3'
import * as v from 'valibot'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { CheckpointError, type Lease, withLease } from '../../functions/election/index.ts'
import { s3Checkpoints } from '../../functions/election/s3.ts'
import { clock, never, noAnswer, options, outcomeOf, row, startAnew, store, TICK } from './scripted.ts'

/** As much of S3 as two kinds of requests need: path-style keys, and XML errors. */
const objects = new Map<string, Buffer>()
let onPut: () => Promise<void> | void = () => undefined
let refusal: readonly [status: number, code: string] | undefined
const s3 = createServer((request, response) => {
  const key = decodeURIComponent((request.url ?? '').replace(/\?.*$/, ''))
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', async () => {
    if (request.method === 'PUT') {
      await onPut()
      objects.set(key, Buffer.concat(chunks))
      return response.end()
    }
    const body = objects.get(key)
    if (body !== undefined && refusal === undefined) return response.end(body)
    const [status, code] = refusal ?? [404, 'NoSuchKey']
    return response.writeHead(status).end(`<?xml version="1.0"?><Error><Code>${code}</Code></Error>`)
  })
})

let client: S3Client
beforeAll(async () => {
  await new Promise<void>((resolve) => s3.listen(0, '127.0.0.1', resolve))
  const { port } = Object(s3.address())
  client = new S3Client({
    endpoint: `http://127.0.0.1:${port}`,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'id', secretAccessKey: 'key' },
    forcePathStyle: true,
    maxAttempts: 1,
  })
})
afterAll(async () => {
  client.destroy()
  s3.closeAllConnections() // one request is never answered
  await new Promise((resolve) => s3.close(resolve))
})
beforeEach(() => {
  startAnew()
  objects.clear()
  onPut = () => undefined
  refusal = undefined
})

const pagesIn = () => s3Checkpoints({ client, bucket: 'pages' })
const died = () => Promise.reject(new Error('died'))
const large = { lines: Array.from({ length: 50_000 }, (_, n) => `line ${n} é`) }

/** A leader that saves a state and dies; returns the key of the object. */
async function leave(state: unknown = large): Promise<string> {
  await outcomeOf(withLease(options(), (lease) => pagesIn().save(lease, state).then(died)))
  return [...objects.keys()].at(-1) ?? ''
}

const loaded = (pages = pagesIn()) =>
  outcomeOf(
    withLease(options({ candidate: 'bob' }), (lease) => pages.load(lease).then((state) => Promise.reject({ state }))),
  )

describe('a state in S3', () => {
  it('larger than a row is loaded by the next leader; its key has lease, tick and token', async () => {
    expect(await leave()).toMatch(new RegExp(`^/pages/checkpoints/billing/${TICK}/\\d+-[\\w-]{36}\\.json$`))
    expect(row()?.checkpoint?.state).toEqual({ bucket: 'pages', key: expect.any(String), sha256: expect.any(String) })
    expect(await loaded()).toEqual({ state: large })
    expect(await loaded(s3Checkpoints({ client, bucket: 'pages-of-today' }))).toEqual({ state: large })
    await withLease(options({ lease: 'other' }), async (lease) => expect(await pagesIn().load(lease)).toBeUndefined())
  })

  it('is written anew by each save, and the last one counts, even if an earlier one takes longer', async () => {
    let puts = 0
    onPut = () => (puts++ === 0 ? new Promise((resolve) => setTimeout(resolve, 50)) : undefined)
    await outcomeOf(
      withLease(options(), async (lease) => {
        const pages = pagesIn()
        await Promise.all([pages.save(lease, { page: 1 }), pages.save(lease, { page: 2 })])
        return died()
      }),
    )
    expect(objects.size).toBe(2)
    expect(await loaded()).toEqual({ state: { page: 2 } })
  })

  it('of a leader that was replaced is never pointed to', async () => {
    await leave({ page: 1 })
    onPut = () => store.memory.edit('billing', { attempt: 'of a newer leader', fencingToken: 9e14 })
    const late = await outcomeOf(withLease(options(), (lease) => pagesIn().save(lease, { page: 'stale' })))
    expect(late).toMatchObject({ name: 'LeaseLostError' })
    expect(objects.size).toBe(2)
    clock.freeze(3_600_000)
    expect(await loaded()).toEqual({ state: { page: 1 } })
  })

  it('is not uploaded by a leader that knows its loss, and an upload ends with the lease', async () => {
    const save = (before: () => void) =>
      outcomeOf(
        withLease(options(), (lease) => {
          before()
          return pagesIn().save(lease, { page: 1 })
        }),
      )
    expect(await save(() => clock.freeze(60_000))).toMatchObject({ name: 'LeaseLostError' })
    expect(objects.size).toBe(0)
    onPut = () => clock.advance(60_000).then(never)
    store.beforeNext('renew', ...Array(200).fill(noAnswer))
    expect(await save(() => undefined)).toMatchObject({ name: 'LeaseLostError' })
  })

  it('stays pointed to if the pointer to a newer one was not saved', async () => {
    await leave({ page: 1 })
    store.beforeNext('saveCheckpoint', noAnswer)
    await leave({ page: 2 })
    expect(objects.size).toBe(2)
    expect(await loaded()).toEqual({ state: { page: 1 } })
  })

  it.each<[string, (key: string) => unknown, RegExp]>([
    ['in a bucket that is gone', () => (refusal = [404, 'NoSuchBucket']), /that is gone: bucket "pages"/],
    ['gone', (key) => objects.delete(key), /that is gone: bucket "pages", key "checkpoints\/.*lifecycle rule/],
    [
      'not to be read',
      () => (refusal = [403, 'AccessDenied']),
      /is gone, or this role may not read it \(s3:GetObject, s3:ListBucket\)/,
    ],
    [
      'cut off',
      (key) => objects.set(key, objects.get(key)?.subarray(1) ?? Buffer.of()),
      /is damaged: .* bucket "pages"/,
    ],
    ['another', (key) => objects.set(key, Buffer.from('{}')), /is damaged: .* key "checkpoints\/billing/],
  ])('that is %s is an error that says what to do', async (_, harm, message) => {
    harm(await leave())
    const error = await loaded()
    expect(error).toBeInstanceOf(CheckpointError)
    expect(error).toMatchObject({ lease: 'billing', message: expect.stringMatching(message) })
  })

  it.each<[unknown, RegExp]>([
    [{ at: new Date(0) }, /checkpoint\.state\.at of lease "billing" is a Date: use its toISOString/],
    [
      { ids: new Set(['a']) },
      /checkpoint\.state\.ids of lease "billing" is a Set: use an array. A checkpoint in S3 is JSON/,
    ],
    [[new Uint8Array(3)], /checkpoint\.state\[0\] of lease "billing" is a Uint8Array: use a text/],
    [{ upTo: Number.NaN }, /checkpoint\.state\.upTo of lease "billing" is not a finite number/],
    [undefined, /checkpoint\.state of lease "billing" is undefined/],
    [Array(100).fill('x'.repeat(2 ** 21)), /is larger than 104857600 bytes; at most 104857600 \(100 MB\) are saved/],
  ])('has nothing that JSON loses, and at most 100 MB (case %#)', async (state, message) => {
    const error = await outcomeOf(withLease(options(), (lease) => pagesIn().save(lease, state)))
    expect(error).toMatchObject({ name: 'InvalidOptionError', message: expect.stringMatching(message) })
    expect(objects.size).toBe(0)
  })

  it('passes on what else S3 refuses', async () => {
    onPut = () => void s3.closeAllConnections()
    const save = (lease: Lease) => outcomeOf(pagesIn().save(lease, 1))
    expect(await withLease(options(), save)).toMatchObject({ result: { code: 'ECONNRESET' } })
  })
})

describe('a state in S3 with a schema', () => {
  const Pages = v.object({ pages: v.array(v.number()) })
  const versioned = (version: number) =>
    s3Checkpoints({
      client,
      bucket: 'pages',
      prefix: 'of/',
      checkpoint: { version, schema: Pages, migrate: (old) => ({ pages: [v.parse(v.number(), old)] }) },
    })
  /** As the version before wrote it. */
  const first = () => s3Checkpoints({ client, bucket: 'pages', checkpoint: { version: 1, schema: v.number() } })

  it('is checked before anything is sent, and its version is in the pointer', async () => {
    await outcomeOf(
      withLease(options(), async (lease) => {
        const wrong: unknown = JSON.parse('{ "pages": ["a"] }')
        const error = await outcomeOf(Promise.resolve(Reflect.apply(versioned(2).save, versioned(2), [lease, wrong])))
        expect(error).toBeInstanceOf(CheckpointError)
        expect(objects.size).toBe(0)
        await versioned(2).save(lease, { pages: [1] })
        return died()
      }),
    )
    expect(row()?.checkpoint?.state).toMatchObject({ version: 2, key: expect.stringMatching(/^of\/billing/) })
    expect(await loaded(versioned(2))).toEqual({ state: { pages: [1] } })
    expect(await loaded(versioned(1))).toMatchObject({ name: 'CheckpointError', savedVersion: 2 })
  })

  it('is migrated from an older object, and from a state that the row itself had', async () => {
    await outcomeOf(withLease(options(), (lease) => first().save(lease, 7).then(died)))
    expect(await loaded(versioned(2))).toEqual({ state: { pages: [7] } })
    await outcomeOf(withLease(options(), (lease) => lease.saveCheckpoint(8).then(died)))
    expect(await loaded(versioned(2))).toEqual({ state: { pages: [8] } })
    expect(await loaded()).toMatchObject({ name: 'CheckpointError', message: expect.stringContaining('is no pointer') })
  })
})

it('takes the client of another class, but not of another service', () => {
  expect(s3Checkpoints({ client: new S3({}), bucket: 'pages' })).toHaveProperty('load')
  expect(() => s3Checkpoints({ client: new DynamoDBClient({}), bucket: 'pages' })).toThrow(/client .* is "DynamoDB"/)
  expect(() => s3Checkpoints({ client, bucket: '' })).toThrow(/bucket of s3Checkpoints must be the name of a bucket/)
  const named = (more: object) => () => s3Checkpoints(Object.assign({ client, bucket: 'pages' }, more))
  expect(named({ prefix: 1 })).toThrow(/prefix of s3Checkpoints must be a text/)
  expect(named({ checkpoint: {} })).toThrow(/checkpoint of s3Checkpoints must be \{ version/)
  expect(named({ schema: 1 })).toThrow(/no option "schema". Options: client, bucket, prefix, checkpoint/)
})
