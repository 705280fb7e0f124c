/**
 * Random requests in the grammar that the product sends. They use few names and few close values, so that conditions
 * are met and missed by a hair. Texts contain § where a run puts its own prefix.
 */
import fc from 'fast-check'
import type { Value } from '../../../functions/election/testing/dynamodb/database.ts'

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

const number = fc.constantFrom('0', '1', '2', '3', '-1', '10', '1795241739149').map((N): Value => ({ N }))
const words = (...all: readonly string[]) => fc.constantFrom(...all).map((S): Value => ({ S }))
const text = words('', 'a', 'ab', 'b', 'é', '\u{1F600}', '\uFB01')
const flat = fc.oneof(number, text, fc.constant<Value>({ BOOL: true }), fc.constant<Value>({ NULL: true }))
const texts = fc.uniqueArray(fc.constantFrom('a', 'b', 'c'), { minLength: 1 }).map((SS): Value => ({ SS }))
const list = fc.array(flat, { maxLength: 2 }).map((L): Value => ({ L }))
const map = fc.dictionary(fc.constantFrom('k', 'j'), flat, { maxKeys: 2 }).map((M): Value => ({ M }))
const anyValue = fc.oneof(flat, texts, list, map)
const [shard, dueAt] = [words('§x', '§y'), words('1', '2', '3')]
const key = fc.record({ pk: words('§1', '§2'), sk: words('a', 'b') })
/** `n` is a number, `t` a text, `l` a list and `s` a set, mostly. */
const usual = { n: number, t: text, l: list, s: texts, m: map, dueShard: shard, dueAt }
const attributes = fc.record(usual, { requiredKeys: [] })
const unusual = fc.record({ n: anyValue, t: anyValue, l: anyValue, s: anyValue, m: anyValue }, { requiredKeys: [] })

/** A part of an expression; each ? stands for one of the values, in their order. */
interface Piece {
  readonly text: string
  readonly values: readonly Value[]
}

const piece = (outline: fc.Arbitrary<string>, ...values: readonly fc.Arbitrary<Value>[]): fc.Arbitrary<Piece> =>
  fc.tuple(outline, fc.tuple(...values)).map(([sentence, all]) => ({ text: sentence, values: all }))
const joined = (pieces: readonly Piece[], separator: string): Piece => ({
  text: pieces.map((one) => one.text).join(separator),
  values: pieces.flatMap(({ values }) => values),
})

const NAMES = ['n', 't', 'm', '#n', '#t', '#m.#k', 'm.k', 'zz']
const name = fc.constantFrom(...NAMES)
const operator = fc.constantFrom('=', '<>', '<', '<=', '>', '>=')
const comparison = (value: fc.Arbitrary<Value>) =>
  piece(
    fc.tuple(name, operator).map(([left, is]) => `${left} ${is} ?`),
    value,
  )
const test = fc.oneof(
  comparison(number),
  comparison(text),
  piece(
    fc.tuple(name, fc.constantFrom('=', '<>')).map(([left, is]) => `${left} ${is} ?`),
    anyValue,
  ),
  piece(name.map((one) => `attribute_exists(${one})`)),
  piece(name.map((one) => `attribute_not_exists(${one})`)),
  piece(fc.constantFrom('begins_with(t, ?)', 'begins_with(#t, ?)'), text),
  piece(fc.constantFrom('n < #t', 'n = zz', '#m.#k <> n')),
)
/** Conditions as the rules of the lease are written: alternatives in parentheses, joined by AND. */
const condition: fc.Arbitrary<Piece> = fc
  .array(fc.tuple(fc.boolean(), fc.array(test, { minLength: 1, maxLength: 3 })), { minLength: 1, maxLength: 3 })
  .map((clauses) =>
    joined(
      clauses.map(([isNegated, tests]) => {
        const { text: sentence, values } = joined(tests, ' OR ')
        return { text: `${isNegated ? 'NOT ' : ''}(${sentence})`, values }
      }),
      ' AND ',
    ),
  )

const set = fc
  .oneof(
    piece(fc.constantFrom('#n = ?', 'm = ?', 't = ?'), anyValue),
    piece(fc.constantFrom('n = if_not_exists(n, ?) + ?', 'n = #n + ?', '#n = if_not_exists(zz, ?)'), number, number),
    piece(fc.constantFrom('l = list_append(if_not_exists(l, ?), ?)', 'l = list_append(l, ?)'), list, list),
    piece(fc.constantFrom('t = m', 'm = #t')),
    piece(fc.constant('#dueAt = ?'), dueAt),
  )
  .map((one) => ({ ...one, values: one.values.slice(0, one.text.split('?').length - 1) }))
const sections: fc.Arbitrary<Piece> = fc
  .record(
    {
      SET: fc.array(set, { minLength: 1, maxLength: 2 }),
      REMOVE: fc.array(piece(fc.constantFrom('s', '#m', 'dueShard', 'zz')), { minLength: 1, maxLength: 2 }),
      ADD: fc.array(fc.oneof(piece(fc.constant('visits ?'), number), piece(fc.constant('s ?'), texts)), {
        minLength: 1,
        maxLength: 1,
      }),
    },
    { requiredKeys: [] },
  )
  .filter((all) => Object.keys(all).length > 0)
  .map((all) =>
    joined(
      Object.entries(all).map(([section, actions]) => {
        const { text: sentence, values } = joined(actions, ', ')
        return { text: `${section} ${sentence}`, values }
      }),
      ' ',
    ),
  )

/** Expressions with the placeholders that they need. */
function expressions(pieces: Readonly<Record<string, Piece | undefined>>): object {
  const values: Record<string, Value> = {}
  const all: Record<string, string> = {}
  for (const [parameter, one] of Object.entries(pieces)) {
    if (one === undefined) continue
    const queue = [...one.values]
    all[parameter] = one.text.replace(/\?/g, () => {
      const placeholder = `:v${Object.keys(values).length}`
      values[placeholder] = queue.shift() ?? { NULL: true }
      return placeholder
    })
  }
  const used = Object.values(all)
    .join(' ')
    .matchAll(/#(\w+)/g)
  const names = Object.fromEntries(Array.from(used, ([placeholder, word]) => [placeholder, word]))
  return {
    ...all,
    ...(Object.keys(names).length > 0 && { ExpressionAttributeNames: names }),
    ...(Object.keys(values).length > 0 && { ExpressionAttributeValues: values }),
  }
}

const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 2 })
const shown = fc.constantFrom({}, { ReturnValuesOnConditionCheckFailure: 'ALL_OLD' })
const returning = (...all: readonly string[]) => fc.constantFrom({}, ...all.map((ReturnValues) => ({ ReturnValues })))

type Keys = fc.Arbitrary<{ readonly pk: Value; readonly sk: Value }>

const put = (keys: Keys) =>
  fc
    .tuple(keys, fc.oneof(attributes, unusual), maybe(condition), shown)
    .map(([Key, row, ConditionExpression, shows]) => {
      return { TableName, Item: { ...row, ...Key }, ...shows, ...expressions({ ConditionExpression }) }
    })
const update = (keys: Keys) =>
  fc.tuple(keys, sections, maybe(condition), shown).map(([Key, UpdateExpression, ConditionExpression, shows]) => {
    return { TableName, Key, ...shows, ...expressions({ UpdateExpression, ConditionExpression }) }
  })
const keyed = (keys: Keys, when: fc.Arbitrary<Piece | undefined>) =>
  fc.tuple(keys, when, shown).map(([Key, ConditionExpression, shows]) => {
    return { TableName, Key, ...shows, ...expressions({ ConditionExpression }) }
  })

const item = (keys: Keys) =>
  fc.oneof(
    put(keys).map((Put) => ({ Put })),
    update(keys).map((Update) => ({ Update })),
    keyed(keys, maybe(condition)).map((Delete) => ({ Delete })),
    keyed(keys, condition).map((ConditionCheck) => ({ ConditionCheck })),
  )
const transaction = fc
  .tuple(
    fc
      .uniqueArray(key, { minLength: 1, maxLength: 3, selector: (one) => JSON.stringify(one) })
      .chain((keys) => fc.tuple(...keys.map((one) => item(fc.constant(one))))),
    maybe(fc.constantFrom('§one', '§two')),
  )
  .map(([TransactItems, token]) => ({ TransactItems, ...(token !== undefined && { ClientRequestToken: token }) }))

const OPERATORS = ['=', '<', '<=', '>', '>=', 'begins_with']
const query = (pk: string, sk: string, of: fc.Arbitrary<Value>, sort: fc.Arbitrary<Value>, more: object) =>
  fc.tuple(of, maybe(fc.tuple(fc.constantFrom(...OPERATORS), sort))).map(([partition, sorted]) => {
    const [is, value] = sorted ?? []
    const compared = is === 'begins_with' ? `begins_with(${sk}, ?)` : `${sk} ${is} ?`
    const text = `${pk} = ?${is === undefined ? '' : ` AND ${compared}`}`
    const values = value === undefined ? [partition] : [partition, value]
    return { TableName, ...more, ...expressions({ KeyConditionExpression: { text, values } }) }
  })

const as = (operation: string) => (body: object | readonly [object, object]) => {
  const whole: object = Array.isArray(body) ? { ...body[0], ...body[1] } : body
  return { operation, body: whole }
}
const request = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(put(key), returning('ALL_OLD')).map(as('PutItem')) },
  { weight: 12, arbitrary: fc.tuple(update(key), returning('ALL_OLD', 'ALL_NEW', 'NONE')).map(as('UpdateItem')) },
  { weight: 2, arbitrary: fc.tuple(keyed(key, maybe(condition)), returning('ALL_OLD')).map(as('DeleteItem')) },
  { weight: 1, arbitrary: key.map((Key) => ({ TableName, Key })).map(as('GetItem')) },
  { weight: 2, arbitrary: query('pk', 'sk', words('§1', '§2'), words('a', 'b'), {}).map(as('Query')) },
  {
    weight: 2,
    arbitrary: query('dueShard', '#dueAt', shard, dueAt, { IndexName: 'due' }).map(as('Query')),
  },
  { weight: 5, arbitrary: transaction.map(as('TransactWriteItems')) },
)
const firstRows = fc
  .array(fc.tuple(key, attributes), { minLength: 2, maxLength: 4 })
  .map((rows) => rows.map(([Key, row]) => as('PutItem')({ TableName, Item: { ...row, ...Key } })))

export const requests = fc
  .tuple(firstRows, fc.array(request, { minLength: 8, maxLength: 36 }))
  .map(([first, others]) => [...first, ...others])
