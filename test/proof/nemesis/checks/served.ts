/**
 * The requests that reached DynamoDB, by what the network saw: when it let them go on, and what DynamoDB said, whether or
 * not the client ever learned of it. So an answer that was lost on its way back is known to the checks; open are only
 * those requests of which nobody learned anything.
 */
import { type Answer, type History, type Label, said, type Try } from '../history.ts'

export interface Served {
  /** A worker, or the network for a copy that it made. */
  readonly who: string
  readonly label: Label
  readonly sentAtMs: number
  /** Undefined where nobody knows what came of it: it may take effect at any later time, or never. */
  readonly answer: (Answer & { readonly outcome: 'ok' | 'refused' }) | undefined
}

/** In the order in which they were sent. Those that were answered with an error, as when throttled, changed nothing and are left out. */
export function servedRequests({ tries }: Pick<History, 'tries'>): readonly Served[] {
  const reached = tries.flatMap((tried) => served(tried))
  const isOfTransaction = ({ transaction, answer }: OfTransaction) =>
    transaction !== undefined && answer?.outcome !== 'refused'
  const transactions = Map.groupBy(reached.filter(isOfTransaction), ({ transaction }) => transaction)
  const single = reached.filter((request) => !isOfTransaction(request))
  return [...single, ...[...transactions.values()].flatMap(asOne)].toSorted((a, b) => a.sentAtMs - b.sentAtMs)
}

type OfTransaction = Served & Pick<Try, 'transaction'>

function served(tried: Try): OfTransaction[] {
  const { who, label, transaction, forwardedAtMs } = tried
  const answer = said(tried)
  if (forwardedAtMs === undefined || answer?.outcome === 'error') return []
  const known = answer === undefined ? undefined : { ...answer, outcome: answer.outcome }
  return [{ who, label, ...(transaction === undefined ? {} : { transaction }), sentAtMs: forwardedAtMs, answer: known }]
}

/**
 * DynamoDB carries out a transaction once, however often it is sent, copies included: between the first time that it was
 * sent and the first answer that it is done.
 */
function asOne(tries: readonly OfTransaction[]): Served[] {
  const [first] = tries.toSorted((a, b) => a.sentAtMs - b.sentAtMs)
  const [answer] = tries.flatMap((tried) => tried.answer ?? []).toSorted((a, b) => a.atMs - b.atMs)
  return first === undefined ? [] : [{ ...first, answer }]
}
