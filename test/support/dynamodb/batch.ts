/** BatchWriteItem: puts and deletes without conditions. Here none is ever left unprocessed. */
import { type Answer, done } from './answer.ts'
import { invalid } from './refusal.ts'
import { checkParameters, parameters, type Request, requestOf } from './request.ts'
import { effectOf, keyOfWrite, readWrite, store, type TableOf, type Write } from './write.ts'

const MOST_ITEMS = 25
const PARAMETERS = parameters('RequestItems')
const ITEM = parameters('PutRequest', 'DeleteRequest')

export function batchWrite(request: Request, tableOf: TableOf): Answer {
  checkParameters(request, PARAMETERS)
  const writes = Object.entries(requestOf(request['RequestItems'])).flatMap(([TableName, items]) => {
    if (!Array.isArray(items)) throw invalid('RequestItems must have a list for each table')
    return items.map((item) => readItem(TableName, requestOf(item), tableOf))
  })
  if (writes.length === 0 || writes.length > MOST_ITEMS) throw invalid(`A batch has 1 to ${MOST_ITEMS} items`)
  const keyed = writes.map((write) => ({ write, key: keyOfWrite(write) }))
  const rows = keyed.map(({ write, key }) => JSON.stringify([write.table.schema.name, key]))
  if (new Set(rows).size < rows.length) throw invalid('Provided list of item keys contains duplicates')
  for (const { write, key } of keyed) {
    const effect = effectOf(write, key)
    if (effect.granted) store(write.table, key, effect.after)
  }
  return done({ UnprocessedItems: {} })
}

function readItem(TableName: string, item: Request, tableOf: TableOf): Write {
  checkParameters(item, ITEM)
  const { PutRequest, DeleteRequest } = item
  const put = PutRequest === undefined ? undefined : requestOf(PutRequest)
  if (put !== undefined) return readWrite('Put', { TableName, Item: put['Item'] }, tableOf, false)
  return readWrite('Delete', { TableName, Key: requestOf(DeleteRequest)['Key'] }, tableOf, false)
}
