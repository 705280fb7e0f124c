/**
 * Random requests in the grammar that the product sends. They use few names and few close values, so that conditions
 * are met and missed by a hair.
 */
// @ts-nocheck

import fc from 'fast-check'
import type { Row, Value } from '../../../functions/election/testing/dynamodb/database.ts'

export const TableName = 'rows'
const keySchema = (partition: string, sort: string) => [
  { AttributeName: partition, KeyType: 'HASH' },
  { AttributeName: sort, KeyType: 'RANGE' },
]
const Projection = { ProjectionType: 'KEYS_ONLY' }
export const CREATE_TABLE = {
  ...{ TableName, BillingMode: 'PAY_PER_REQUEST', KeySchema: keySchema('pk', 'sk') },
  AttributeDefinitions: ['pk', 'sk', 'dueShard', 'dueAt'].map((name) => ({ AttributeName: name, AttributeType: 'S' })),
  GlobalSecondaryIndexes: [{ IndexName: 'due', KeySchema: keySchema('dueShard', 'dueAt'), Projection }],
}

const NAMES = ['n', 't', 'm', '#n', '#t', '#m.#k', 'm.k', 'zz']
/** In expressions, `:n` stands for a number, `:t` for a text, `:l`, `:s`, `:m` for containers, `:a` for any of them. */
const SETS = [
  ...['#n = :a', 'm = :a', 't = :a', 't = m', 'm = #t', '#dueAt = :d'],
  ...['n = if_not_exists(n, :n) + :n', 'n = #n + :n', '#n = if_not_exists(zz, :n)'],
  ...['l = list_append(if_not_exists(l, :l), :l)', 'l = list_append(l, :l)'],
]
/** The usual types of attributes. */
const TYPES = { n: 'n', t: 't', l: 'l', s: 's', m: 'm', dueShard: 'x', dueAt: 'd' }
const KINDS = ['Put', 'Update', 'Delete', 'ConditionCheck'] as const
/** Operations as often as in the product, or so. */
const OPERATIONS = [
  ...Array<'Put'>(6).fill('Put'),
  ...Array<'Update'>(12).fill('Update'),
  ...(['Delete', 'Delete', 'Get', 'Query', 'Query', 'Index', 'Index'] as const),
  ...Array<'Transact'>(5).fill('Transact'),
]

const oneOf = <T>(...all: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...all)

/** From 10 to 40 requests on the rows of this run. */
export function sequenceOf(g: fc.GeneratorValue, run: string): readonly { operation: string; body: object }[] {
  const pick = <T>(...all: readonly T[]): T => g(oneOf<T>, ...all)
  const some = <T>(least: number, most: number, make: () => T): T[] =>
    Array.from({ length: g(fc.integer, { min: least, max: most }) }, make)
  const keys = ['1', '2'].flatMap((pk) => ['a', 'b'].map((sk) => ({ pk: { S: run + pk }, sk: { S: sk } })))

  function value(type: string): Value {
    if (type === 'n') return { N: pick('0', '1', '2', '3', '-1', '10', '1795241739149') }
    if (type === 't') return { S: pick('', 'a', 'ab', 'b', 'é', '\u{1F600}', '\uFB01') }
    if (type === 'x') return { S: run + pick('x', 'y') }
    if (type === 'p') return { S: run + pick('1', '2') }
    if (type === 'd') return { S: pick('1', '2', '3') }
    if (type === 'k') return { S: pick('a', 'b') }
    if (type === 's') return { SS: g(fc.subarray<string>, ['a', 'b', 'c'], { minLength: 1 }) }
    if (type === 'l') return { L: some(0, 2, () => value('e')) }
    if (type === 'm') return { M: Object.fromEntries(some(0, 2, () => [pick('k', 'j'), value('e')])) }
    if (type === 'e') return pick(value('f'), value('o'), { B: 'YQ==' }, { NS: ['1', '2.5'] }, { BS: ['YQ=='] })
    // The product does not calculate with such numbers, so they are in containers alone.
    if (type === 'o') return { N: pick('2.5', '-0.10', '1e3', '0.0012', '-1E-2') }
    if (type === 'f') return pick<Value>(value('n'), value('t'), { BOOL: true }, { NULL: true })
    return value(pick('f', 's', 'l', 'm'))
  }

  /** Expressions with the placeholders that they need. */
  function expressions(texts: Readonly<Record<string, string | undefined>>): object {
    const values: Record<string, Value> = {}
    const placed = JSON.stringify(texts).replace(/:([a-z])\b/g, (_, type) => {
      const placeholder = `:v${Object.keys(values).length}`
      values[placeholder] = value(type)
      return placeholder
    })
    const names = Object.fromEntries(Array.from(placed.matchAll(/#(\w+)/g), ([name, word]) => [name, word]))
    return {
      ...JSON.parse(placed),
      ...(Object.keys(names).length > 0 && { ExpressionAttributeNames: names }),
      ...(Object.keys(values).length > 0 && { ExpressionAttributeValues: values }),
    }
  }

  function test(): string {
    const name = pick(...NAMES)
    return pick(
      `${name} ${pick('=', '<>', '<', '<=', '>', '>=')} ${pick(':n', ':t')}`,
      ...[`${name} ${pick('=', '<>')} :a`, `attribute_exists(${name})`, `attribute_not_exists(${name})`],
      ...[`begins_with(${pick('t', '#t')}, :t)`, pick('n < #t', 'n = zz', '#m.#k <> n')],
    )
  }
  /** As the rules of the lease are written: alternatives in parentheses, joined by AND. */
  const condition = () => some(1, 3, () => `${pick('', 'NOT ')}(${some(1, 3, test).join(' OR ')})`).join(' AND ')
  const update = () =>
    g(fc.subarray<string>, ['SET', 'REMOVE', 'ADD'], { minLength: 1 })
      .map((section) => {
        if (section === 'SET') return `SET ${some(1, 2, () => pick(...SETS)).join(', ')}`
        if (section === 'ADD') return `ADD ${pick('visits :n', 's :s')}`
        return `REMOVE ${some(1, 2, () => pick('s', '#m', 'dueShard', 'zz')).join(', ')}`
      })
      .join(' ')

  function row(): Row {
    const isUsual = g(fc.boolean)
    const names = g(fc.subarray<string>, Object.keys(TYPES).slice(0, isUsual ? 7 : 5))
    return Object.fromEntries(names.map((name) => [name, value(isUsual ? String(Reflect.get(TYPES, name)) : 'a')]))
  }
  function write(kind: (typeof KINDS)[number], Key = pick(...keys)): object {
    const shows = pick({}, { ReturnValuesOnConditionCheckFailure: 'ALL_OLD' })
    const UpdateExpression = kind === 'Update' ? update() : undefined
    const ConditionExpression = kind === 'ConditionCheck' || g(fc.boolean) ? condition() : undefined
    const target = kind === 'Put' ? { Item: { ...row(), ...Key } } : { Key }
    return { TableName, ...target, ...shows, ...expressions({ UpdateExpression, ConditionExpression }) }
  }
  const returning = (...all: string[]) => pick<object>({}, ...all.map((ReturnValues) => ({ ReturnValues })))
  function query(of: string, sort: string, type: string): object {
    const sorted = pick('', ...['=', '<', '<=', '>', '>='].map((is) => ` AND ${sort} ${is} :${type}`))
    const begins = ` AND begins_with(${sort}, :${type})`
    return { TableName, ...expressions({ KeyConditionExpression: of + pick(sorted, sorted, begins) }) }
  }
  function transaction(): object {
    const chosen = g(fc.subarray<(typeof keys)[number]>, keys, { minLength: 1, maxLength: 3 })
    const TransactItems = chosen.map((Key) => {
      const kind = pick(...KINDS)
      return { [kind]: write(kind, Key) }
    })
    return { TransactItems, ...pick({}, { ClientRequestToken: `${run}${pick('one', 'two')}` }) }
  }

  function request(operation: (typeof OPERATIONS)[number]) {
    switch (operation) {
      case 'Put':
        return { operation: 'PutItem', body: { ...write('Put'), ...returning('ALL_OLD') } }
      case 'Update':
        return { operation: 'UpdateItem', body: { ...write('Update'), ...returning('ALL_OLD', 'ALL_NEW', 'NONE') } }
      case 'Delete':
        return { operation: 'DeleteItem', body: { ...write('Delete'), ...returning('ALL_OLD') } }
      case 'Get':
        return { operation: 'GetItem', body: { TableName, Key: pick(...keys) } }
      case 'Query':
        return { operation: 'Query', body: query('pk = :p', 'sk', 'k') }
      case 'Index':
        return { operation: 'Query', body: { ...query('dueShard = :x', '#dueAt', 'd'), IndexName: 'due' } }
      case 'Transact':
        return { operation: 'TransactWriteItems', body: transaction() }
    }
  }
  const first = some(2, 4, () => ({ operation: 'PutItem', body: { TableName, Item: { ...row(), ...pick(...keys) } } }))
  return [...first, ...some(8, 36, () => request(pick(...OPERATIONS)))]
}
