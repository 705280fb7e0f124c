/** What DynamoDB's reply to a labelled request says, in the words of the history. */

import { fenceAttribute } from '../../../../functions/election/fencing.ts'
import type { AttributeMap } from '../../../../functions/election/stores/row.ts'
import { type Answer, type Label, machineMs } from '../history.ts'

/** A reply as it came, and what it means; no meaning where DynamoDB itself failed, so that the outcome is open. */
export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
  readonly answer: Answer | undefined
}

interface ReplyBody {
  readonly __type?: string
  readonly Attributes?: AttributeMap
  readonly Item?: AttributeMap
  readonly CancellationReasons?: readonly { readonly Code?: string; readonly Item?: AttributeMap }[]
}

export function answerIn(status: number, body: Buffer, label: Label, lease: string): Answer | undefined {
  const atMs = machineMs()
  if (status >= 500) return undefined
  const { __type, Attributes, Item, CancellationReasons }: ReplyBody = JSON.parse(body.toString())
  if (status === 200) return { outcome: 'ok', atMs, ...whatWasThere(label, Attributes, lease) }
  const error = __type?.slice(__type.indexOf('#') + 1) ?? String(status)
  const failed = CancellationReasons?.find(({ Code }) => Code === 'ConditionalCheckFailed')
  if (error !== 'ConditionalCheckFailedException' && failed === undefined) return { outcome: 'error', atMs, error }
  const row = failed === undefined ? Item : failed.Item
  // The protected row is as long as the history; only that of the lease is kept.
  return { outcome: 'refused', atMs, error, ...(row === undefined || isOnOtherRow(label) ? {} : { row }) }
}

/** A granted acquire, and a fenced Put, bring the row as it was before. */
function whatWasThere(
  label: Label,
  attributes: AttributeMap | undefined,
  lease: string,
): Pick<Answer, 'row' | 'seenToken'> {
  if (attributes === undefined) return {}
  if (label.as === 'acquire') return { row: attributes }
  const seenToken = attributes[fenceAttribute(lease)]?.N
  return label.as === 'effect' && seenToken !== undefined ? { seenToken: Number(seenToken) } : {}
}

function isOnOtherRow({ as }: Label): boolean {
  return as === 'read' || as === 'claim' || as === 'effect'
}
