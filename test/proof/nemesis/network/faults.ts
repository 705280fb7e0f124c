/** What the network does to a request: none of these is ever seen of DynamoDB Local by itself. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Answer, type Label, machineMs } from '../history.ts'
import type { Reply } from './answers.ts'
import type { Fault } from './proxy.ts'

export type NetworkFault =
  | 'request lost'
  | 'reply lost'
  | 'request delayed'
  | 'reply delayed'
  | 'duplicated'
  | 'request cut'
  | 'reply cut'
  | 'throttled'
  | 'error before commit'
  | 'error after commit'
  | 'transaction conflict'

export const NETWORK_FAULTS: readonly NetworkFault[] = [
  'request lost',
  'reply lost',
  'request delayed',
  'reply delayed',
  'duplicated',
  'request cut',
  'reply cut',
  'throttled',
  'error before commit',
  'error after commit',
  'transaction conflict',
]

/** `delayMs` is that of a delay or a copy. */
export function networkFault(name: NetworkFault, delayMs: number): Fault {
  switch (name) {
    case 'request lost':
      return async (passage) => passage.hangUp()
    case 'reply lost':
      return async (passage) => {
        await passage.forward()
        passage.hangUp()
      }
    case 'request delayed':
      return async (passage) => {
        await sleep(delayMs)
        passage.deliver(await passage.forward())
      }
    case 'reply delayed':
      return async (passage) => {
        const reply = await passage.forward()
        await sleep(delayMs)
        passage.deliver(reply)
      }
    case 'duplicated':
      return async (passage) => {
        passage.copyAt(sleep(delayMs))
        passage.deliver(await passage.forward())
      }
    case 'request cut':
      return async (passage) => {
        await passage.forwardHalf()
        passage.hangUp()
      }
    case 'reply cut':
      return async (passage) => passage.deliverHalf(await passage.forward())
    case 'throttled':
      return async (passage) => passage.deliver(refusal(delayMs % 2 === 0 ? 'ThrottlingException' : THROUGHPUT))
    case 'error before commit':
      return async (passage) => passage.deliver(serverError())
    case 'error after commit':
      return async (passage) => {
        await passage.forward()
        passage.deliver(serverError())
      }
    case 'transaction conflict':
      return async (passage) => passage.deliver(conflictFor(passage.note.label))
  }
}

const THROUGHPUT = 'ProvisionedThroughputExceededException'

/** DynamoDB refuses a single write with an exception of its own, and cancels a transaction with a reason for each item. */
function conflictFor(label: Label): Reply {
  const isTransaction = label.as === 'guard' || (label.as === 'write' && label.op !== undefined)
  if (!isTransaction) return refusal('TransactionConflictException')
  return refusal('TransactionCanceledException', {
    CancellationReasons: [{ Code: 'TransactionConflict' }, { Code: 'None' }],
  })
}

/** The request was not carried out, and the client knows. */
function refusal(error: string, fields: object = {}): Reply {
  return replyOf(400, error, fields, { outcome: 'error', atMs: machineMs(), error })
}

/** Nobody can tell from a 500 whether the request was carried out. */
function serverError(): Reply {
  return replyOf(500, 'InternalServerError', {}, undefined)
}

function replyOf(status: number, error: string, fields: object, answer: Answer | undefined): Reply {
  const type = `com.amazonaws.dynamodb.v20120810#${error}`
  const body = Buffer.from(JSON.stringify({ __type: type, message: 'by the nemesis', ...fields }))
  const headers = {
    'content-type': 'application/x-amz-json-1.0',
    'content-length': String(body.length),
    date: new Date().toUTCString(),
  }
  return { status, headers, body, answer }
}
