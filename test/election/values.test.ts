import { isDeepStrictEqual } from 'node:util'
import { runInNewContext } from 'node:vm'
import { PutItemCommand } from '@aws-sdk/client-dynamodb'
import { marshall } from '@aws-sdk/util-dynamodb'
import fc from 'fast-check'
import { describe, expect, inject, it, vi } from 'vitest'
import { DynamoDBLeaseStore, InvalidOptionError, withLease } from '../../functions/election/index.ts'
import { announcementOf, jsonState, LARGEST_STATE_BYTES, plainState } from '../../functions/election/plain-data.ts'
import { RulesStore } from '../../functions/election/testing/rules-store.ts'
import { copied } from '../../functions/election/values.ts'
import { leaseRow } from '../support/lease-row.ts'
import { createLeaseTable, localClient } from '../support/tables.ts'

const client = localClient(inject('dynamodbEndpoint'))

const read = (state: unknown) => plainState(state, 'billing')

function refusalOf(state: unknown): Error {
  try {
    read(state)
  } catch (error) {
    if (error instanceof InvalidOptionError) return error
    throw error
  }
  throw new Error('it was not refused')
}

/** Maps in maps, so many levels of them. */
const nested = (levels: number): unknown => (levels === 0 ? 1 : { in: nested(levels - 1) })

const circular: Record<string, unknown> = { upTo: 1 }
circular['self'] = circular

class Progress {
  done = 3
}

const named = (name: string) => Object.defineProperty(class {}, 'name', { value: name })

const revoked = () => {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}

describe('the state of a checkpoint', () => {
  it.each<[string, unknown, string]>([
    ['undefined', undefined, 'checkpoint.state of lease "billing" is undefined'],
    ['undefined in an array', { items: [1, undefined] }, 'checkpoint.state.items[1] of lease "billing" is undefined'],
    ['a hole', Object.assign(Array(2), { 1: 'a' }), 'checkpoint.state[0] of lease "billing" is undefined'],
    ['a function', { next: () => 1 }, 'checkpoint.state.next of lease "billing" is a function'],
    ['a bigint', 5n, 'is a bigint. A checkpoint is plain data: texts'],
    ['a bigint', { 'a\u009bb\u2028\u202e\u001b': 1n }, 'checkpoint.state["a\\u{9b}b\\u{2028}\\u{202e}\\u001b"] of'],
    ['NaN', { 'a b': [Number.NaN] }, 'checkpoint.state["a b"][0] of lease "billing" is not a finite number'],
    ['Infinity', -Infinity, 'is not a finite number'],
    ['a number that would come back as a bigint', 2 ** 53, 'is a number beyond 2 ** 53 - 1'],
    ['a number too small for DynamoDB', -9.99e-131, 'is a number nearer to 0 than 1e-130'],
    ['a lone surrogate', 'a\ud800b', 'is a text with half of a surrogate pair'],
    [
      'a Date',
      { items: [{ at: new Date() }] },
      'checkpoint.state.items[0].at of lease "billing" is a Date: use its toIS',
    ],
    ['a Map', new Map([['a', 1]]), 'is a Map: use Object.fromEntries(map)'],
    ['a Buffer', Buffer.from('abc'), 'is a Buffer: use new Uint8Array(buffer)'],
    ['an instance of a class', new Progress(), 'is a Progress. A checkpoint is'],
    ['an instance of a class without a name', new (class {})(), 'is an instance of a class'],
    ['an instance of a class with a long name', new (named('k'.repeat(61)))(), 'is an instance of a class'],
    ['an array of a class', new (class List extends Array {})(), 'is a List'],
    ['a Set of a class', new (class Ids extends Set {})(['a']), 'is an Ids'],
    ['an object that inherits', Object.create({ upTo: 1 }), 'is an Object'],
    ['an object that inherits from what looks like the root', Object.create({ isPrototypeOf: 1 }), 'is an Object'],
    ['an object that inherits from another root', Object.create(Object.create(null)), 'is an instance of a class'],
    ['a Set behind a proxy', new Proxy(new Set(['a']), {}), 'is a Set'],
    ['an empty Set', new Set(), 'is an empty Set'],
    ['a mixed Set', new Set(['a', 1]), 'is a Set of something else than texts alone or numbers alone'],
    ['a Set with a property', Object.assign(new Set(['a']), { upTo: 1 }), 'has properties besides its elements'],
    ['a Uint8Array with a property', Object.assign(new Uint8Array(2), { x: 1 }), 'has properties besides its elements'],
    ['an array with a property', Object.assign(['a'], { index: 0 }), 'has properties besides its elements'],
    ['a hidden key', Object.defineProperty({}, 'upTo', { value: 1 }), 'has keys that are symbols or not enumerable'],
    ['an empty key', { '': 1 }, 'has an empty key'],
    ['a key too long', { ['k'.repeat(65_536)]: 1 }, 'has a key longer than 65535 bytes'],
    ['half a character as a key', { '\udc00': 1 }, 'has a key with half of a surrogate pair'],
    ['the key __proto__', JSON.parse('{ "__proto__": 1 }'), 'has the key "__proto__"'],
    ['the key constructor', { constructor: 'Ferrari' }, 'has the key "constructor"'],
    ['what is nested too deep', nested(31), 'is nested deeper than 30 levels, or part of itself'],
    ['what holds itself', circular, 'is nested deeper than 30 levels, or part of itself'],
    ['a proxy that does not answer', { of: revoked() }, 'checkpoint.state.of of lease "billing" cannot be read'],
  ])('is refused with the path of %s', (_, state, text) => {
    expect(refusalOf(state)).toMatchObject({ lease: 'billing', message: expect.stringContaining(text) })
  })

  it('is refused if a getter throws, with what it threw as the cause', () => {
    const cause = new Error('not loaded')
    const get = () => {
      throw cause
    }
    const user = Object.defineProperty({}, 'name', { get, enumerable: true })
    const message = expect.stringContaining('checkpoint.state.user.name of lease')
    expect(refusalOf({ user })).toMatchObject({ cause, message })
  })

  it.each([
    ...['the secret\ud800', new Set(['secret', 1]), new Map([['secret', 1]]), Buffer.from('secret'), Symbol('secret')],
  ])('is never quoted by the refusal: %o', (state) => {
    expect(refusalOf({ state }).message).not.toMatch('secret')
  })

  it('is shown by a path that no key makes long', () => {
    expect(refusalOf({ ['k'.repeat(5_000)]: { ['\n'.repeat(5_000)]: 1n } }).message.length).toBeLessThan(500)
  })

  it.each([
    ['30 levels', nested(30)],
    ['the largest number, and the nearest to 0', [2 ** 53 - 1, 1 - 2 ** 53, 1e-130, -1e-130]],
    ['the longest key', { ['k'.repeat(65_535)]: 1 }],
  ])('may have %s', (_, state) => {
    expect(read(state)).toEqual(state)
  })

  it('is made plainer in three things: -0, objects without a prototype, and those of another realm', () => {
    const state: unknown = runInNewContext('[{ upTo: -0, bytes: new Uint8Array([1]), ids: new Set(["a"]) }]')
    const plain = [{ upTo: 0, bytes: new Uint8Array([1]), ids: new Set(['a']) }]
    expect(isDeepStrictEqual(read(state), plain)).toBe(true)
    expect(isDeepStrictEqual(read(Object.assign(Object.create(null), { a: 1 })), { a: 1 })).toBe(true)
  })

  it('shares nothing with what was given', () => {
    const given = { list: [{ upTo: 1 }], bytes: new Uint8Array([1]), ids: new Set([1]), frozen: Object.freeze(['a']) }
    const copy = read(given)
    const before = structuredClone(given)
    given.list.push({ upTo: 2 })
    given.bytes[0] = 2
    given.ids.add(2)
    expect(copy).toEqual(before)
    expect(Object.isFrozen(Reflect.get(Object(copy), 'frozen'))).toBe(false)
  })

  it('is read once, so that what was checked is what is kept', () => {
    const get = vi.fn(() => 1).mockImplementationOnce(() => 7)
    expect(read(Object.defineProperty({}, 'upTo', { get, enumerable: true }))).toEqual({ upTo: 7 })
  })

  it('has at most 350 KB, and a refusal says how many bytes it has', () => {
    const overhead = 3 + 1 + 'text'.length
    const most = 'é'.repeat((LARGEST_STATE_BYTES - overhead) / 2)
    expect(read({ text: most })).toEqual({ text: most })
    expect(refusalOf({ text: `${most}!` }).message).toMatch(
      /"billing" is 358401 bytes large; at most 358400 \(350 KB\) fit/,
    )
  })

  it.each<[string, unknown, number]>([
    ['true, false and null', Array(200_000).fill(true).fill(null, 100_000), 3 + 200_000 * 2],
    ['numbers', Array(100_000).fill(12_345), 3 + 100_000 * (1 + 3 + 2)],
    ['bytes', new Uint8Array(358_401), 358_401],
    ['Sets', new Set(['x'.repeat(358_396), 'y']), 3 + 2 + 358_397],
  ])('is measured with its %s', (_, state, bytes) => {
    expect(refusalOf(state).message).toContain(`is ${bytes} bytes large`)
  })

  it('is refused in no time if it is endless when it is written out', () => {
    let reads = 0
    let shared: unknown = 0
    for (let level = 0; level < 30; level++) {
      const part = shared
      const get = () => {
        reads++
        return part
      }
      shared = Object.defineProperties([part, part], { 0: { get }, 1: { get } })
    }
    expect(refusalOf(shared).message).toMatch(/is larger than 1048576 bytes/)
    expect(reads).toBeLessThan(1024 * 1024)
  })
})

it('a state that is saved in S3 is JSON, without bytes and Sets', () => {
  const saved = (state: unknown) => jsonState(state, 'jobs')
  expect(saved({ upTo: [-0, null, true] })).toEqual({ upTo: [0, null, true] })
  expect(() => saved(new Uint8Array(1))).toThrow('is a Uint8Array: use a text, such as its base64. A checkpoint in S3')
  expect(() => saved(new Set(['a']))).toThrow('is a Set: use an array')
})

it('what a leader proclaims is plain data of at most 4 KB', () => {
  const announced = (value: unknown) => announcementOf(value, 'jobs')
  const most = 'x'.repeat(4 * 1024)
  expect(announced(most)).toBe(most)
  expect(() => announced(`${most}!`)).toThrow('The announcement of lease "jobs" is larger than 4096 bytes; at most 4')
  const text =
    'announcement.at of lease "jobs" is a Date: use its toISOString(). What a leader proclaims is plain data:'
  expect(() => announced({ at: new Date(0) })).toThrow(text)
})

/** Mostly plain, so that large values are not always refused for one of their parts. */
const leaf = fc.oneof(
  { weight: 12, arbitrary: fc.string({ unit: 'binary' }) },
  { weight: 8, arbitrary: fc.double({ noNaN: true, min: -1e15, max: 1e15 }).map((number) => number + 0) },
  { weight: 8, arbitrary: fc.integer() },
  { weight: 4, arbitrary: fc.constantFrom(null, true, false, '', 1e-130, 5e-324, 2 ** 53 - 1, 2 ** 53, 1e125, 1e126) },
  { weight: 2, arbitrary: fc.uint8Array() },
  { weight: 1, arbitrary: fc.constantFrom(undefined, '\ud800', 5n, new Date(0), Buffer.from('a'), new Progress()) },
)
const key = fc.oneof(
  { weight: 20, arbitrary: fc.string({ unit: 'binary', minLength: 1 }) },
  { weight: 10, arbitrary: fc.constantFrom('toString', 'hasOwnProperty', 'then', 'length', 'N', '$unknown', '7') },
  { weight: 1, arbitrary: fc.constantFrom('', '__proto__', 'constructor', '\udfff') },
)
const anything = fc.oneof(
  fc.anything({ values: [leaf], key, withNullPrototype: true, withSet: true }),
  fc.anything({ withBigInt: true, withBoxedValues: true, withDate: true, withMap: true, withSparseArray: true }),
  fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 1 }).map((texts) => new Set(texts)),
  fc
    .uniqueArray(fc.double({ noNaN: true, min: -1e15, max: 1e15 }), { minLength: 1 })
    .map((numbers) => new Set(numbers)),
  fc.anything({ withTypedArray: true, withObjectString: true, withUnicodeString: true }),
)

it('an accepted checkpoint comes back from the table and from memory as given; others reach neither', async () => {
  const tableName = await createLeaseTable(client)
  const table = new DynamoDBLeaseStore({ tableName, client })
  const memory = new RulesStore()
  let accepted = 0
  let refused = 0
  await withLease({ store: table, lease: 'billing', leaseMs: 60_000 }, (inTable) =>
    withLease({ store: memory, lease: 'billing', leaseMs: 60_000 }, (inMemory) =>
      fc.assert(
        fc.asyncProperty(anything, async (state) => {
          const before = memory.read('billing')?.checkpoint
          const answers = await Promise.allSettled([inTable.saveCheckpoint(state), inMemory.saveCheckpoint(state)])
          const rejected = answers.filter(({ status }) => status === 'rejected')
          if (rejected.length > 0) {
            refused++
            expect(rejected).toEqual(Array(2).fill({ status: 'rejected', reason: expect.any(InvalidOptionError) }))
            expect(memory.read('billing')?.checkpoint).toEqual(before)
            return
          }
          accepted++
          const rows = [await leaseRow(client, tableName), memory.read('billing')]
          for (const found of [...rows.map((row) => row?.checkpoint?.state), inTable.checkpoint, inMemory.checkpoint]) {
            if (!isDeepStrictEqual(found, zeroed(structuredClone(state)))) throw new Error('it came back as another')
          }
        }),
        { seed: 20261121, numRuns: 600 },
      ),
    ),
  )
  expect(accepted).toBeGreaterThan(200)
  expect(refused).toBeGreaterThan(100)
}, 60_000)

/** With 0 for -0, which no store of decimal numbers distinguishes. */
function zeroed(state: unknown): unknown {
  if (state === 0) return 0
  if (Array.isArray(state)) return state.map(zeroed)
  if (typeof state !== 'object' || state === null || state instanceof Set || ArrayBuffer.isView(state)) return state
  return Object.fromEntries(Object.entries(state).map(([name, value]) => [name, zeroed(value)]))
}

/** With as many elements as are accepted. */
function largest(make: (length: number) => unknown): unknown {
  const isAccepted = (length: number) => {
    try {
      return read(make(length)) !== undefined
    } catch {
      return false
    }
  }
  let [accepted, step] = [0, 1_024]
  while (isAccepted(step)) step *= 2
  for (; step >= 1; step /= 2) if (isAccepted(accepted + step)) accepted += step
  return make(accepted)
}

const each = (element: unknown) => (length: number) => Array(length).fill(element)

describe('the largest checkpoint', () => {
  it.each<[string, (length: number) => unknown]>([
    ['small numbers', each(7)],
    ['long numbers', each(-0.12345678901234568)],
    ['short numbers', each(-1.5)],
    ['maps', each({ id: 'abc', n: null, list: [''] })],
    ['a Set', (length) => new Set(Array.from({ length }, (_, n) => n - 0.5))],
    ['many keys', (length) => Object.fromEntries(Array.from({ length }, (_, n) => [`é${n}`, null]))],
  ])(
    'of %s leaves 50,000 bytes of the row',
    async (_, make) => {
      const TableName = await createLeaseTable(client)
      const checkpoint = { tick: '2026-11-21T06:00:00.000Z', version: Number.MAX_SAFE_INTEGER, state: largest(make) }
      const Item = marshall({ lease: 'billing', record: 'LEASE', checkpoint, rest: 'x'.repeat(50_000) })
      await client.send(new PutItemCommand({ TableName, Item }))
    },
    60_000,
  )
})

describe('a copy of a request’s input', () => {
  const bytesOf = (value: ArrayBufferView | ArrayBuffer) =>
    ArrayBuffer.isView(value) ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength) : new Uint8Array(value)

  it('shares no container with it', () => {
    const element = { upTo: 1 }
    const containers = { list: [element], tags: new Set(['a']), map: new Map([['a', element]]), element }
    const none: Record<string, unknown[]> = Object.assign(Object.create(null), { list: [1] })
    const bytes = [new Uint8Array([1]), Buffer.from([1]), new DataView(new ArrayBuffer(1)), new ArrayBuffer(1)]
    const given = { ...containers, none, bytes }
    const [before, bytesBefore] = [structuredClone({ ...containers, none }), bytes.map((value) => [...bytesOf(value)])]
    const copy = copied(given)
    element.upTo = 2
    given.list.push({ upTo: 2 })
    given.tags.add('b')
    given.map.set('b', { upTo: 2 })
    none['list']?.push(2)
    for (const value of bytes) bytesOf(value).fill(2)
    expect(copy).toMatchObject(before)
    expect(copy.bytes.map((value) => [...bytesOf(value)])).toEqual(bytesBefore)
  })

  it('has the bytes of a Buffer alone, and not all of its pool', () => {
    expect(copied(Buffer.from([1])).buffer.byteLength).toBe(1)
  })

  it('keeps what only the caller’s document client knows how to read, and holes and keys', () => {
    const ofClasses = [new Progress(), new Date(0), new (class Ids extends Set {})(['a']), new (class extends Map {})()]
    const given = [...ofClasses, () => 1, 5n, undefined, null]
    for (const [index, value] of copied(given).entries()) expect(value).toBe(given[index])
    expect(copied(Object.assign(Array(3), { 1: 'a' }))).toStrictEqual(Object.assign(Array(3), { 1: 'a' }))
    expect(Object.keys(copied(JSON.parse('{ "__proto__": 1 }')))).toEqual(['__proto__'])
  })
})
