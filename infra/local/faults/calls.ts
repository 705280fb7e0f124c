/** Which step of the task a call is: faults are planned in these terms, and counted in them. */
import { property } from '../../../functions/json.ts'
import type { Call } from '../lambda-host/interceptor.ts'
import type { Resources } from '../stack/resources.ts'

/**
 * `lease`: any write of the lease's row. `claim`, `move`: of a subscription. `intent`, `answer`, `unknown`: of the ledger.
 * `charge`: a charge asked of the gateway. See functions/billing/charge-due.ts.
 */
export type CallKind = 'lease' | 'claim' | 'move' | 'intent' | 'answer' | 'unknown' | 'charge'

/** Undefined for what no fault is planned at: queries, questions to the gateway, and what the gateway itself stores. */
export function kindOf(
  { service, operation, target, body }: Call,
  places: Pick<Resources, 'leaseTable' | 'subscriptionsTable' | 'chargesTable'>,
): CallKind | undefined {
  if (service === 'lambda') return body['method'] === 'POST' ? 'charge' : undefined
  if (operation !== 'UpdateItem') return undefined
  const readsTheRow = body['ReturnValues'] === 'ALL_NEW' // a claim and an intent go on with what the row says
  switch (target) {
    case places.leaseTable:
      return 'lease'
    case places.subscriptionsTable:
      return readsTheRow ? 'claim' : 'move'
    case places.chargesTable:
      if (readsTheRow) return 'intent'
      return statusOf(body) === 'unknown' ? 'unknown' : 'answer'
    default:
      return undefined
  }
}

/** The value of `:status`, in the form in which DynamoDB gets it: `{ "S": "unknown" }`. */
function statusOf(body: Call['body']): unknown {
  return property(property(body['ExpressionAttributeValues'], ':status'), 'S')
}
