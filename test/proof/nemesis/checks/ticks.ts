/** S4 and S5: a tick is completed once, its effect takes place once, and nobody leads it again. */
import type { Failure } from '../../part.ts'
import type { History } from '../history.ts'
import { acceptedAdditions, acquisitionsOf, additionOf } from './accepted.ts'
import { servedRequests } from './served.ts'
import { timesOf } from './times.ts'

export function checkTicks(history: History): Failure[] {
  return [...completedTwice(history), ...effectsTwice(history), ...grantedAgain(history)]
}

interface Completion {
  readonly tick: string
  readonly who: string
  readonly attempt: string
  /** When it had certainly happened. */
  readonly atMs: number
  readonly how: string
}

function acceptedCompletions(history: History): Completion[] {
  return servedRequests(history).flatMap(({ label, who, answer }) => {
    if (label.as !== 'write' || label.request.kind !== 'complete' || answer?.outcome !== 'ok') return []
    const { tick, attempt } = label.request
    return tick === undefined ? [] : [{ tick, who, attempt, atMs: answer.atMs, how: 'completed it' }]
  })
}

/** What the workers were told. */
function toldCompletions({ reports }: History): Completion[] {
  return reports.flatMap((report) => {
    if (report.kind !== 'acknowledged' || report.tick === undefined) return []
    const { tick, who, attempt, atMs } = report
    return [{ tick, who, attempt, atMs, how: 'was told that it had completed it' }]
  })
}

function completedTwice(history: History): Failure[] {
  const at = timesOf(history)
  const first = new Map<string, Completion>()
  const tell = ({ who, attempt, atMs, how }: Completion) => `${at(atMs)}: ${who} ${how} (attempt ${attempt})`
  const failure = ({ tick }: Completion, by: string, trace: readonly Completion[]) => ({
    claim: 'S5' as const,
    what: `Ticks: ${tick} was completed ${by}.`,
    trace: trace.map(tell),
  })
  const twice = acceptedCompletions(history).flatMap((completion) => {
    const other = first.get(completion.tick)
    if (other === undefined) first.set(completion.tick, completion)
    return other === undefined ? [] : [failure(completion, 'twice', [other, completion])]
  })
  const byOthers = toldCompletions(history).flatMap((completion) => {
    const other = first.get(completion.tick)
    if (other === undefined) first.set(completion.tick, completion)
    const isOwn = other === undefined || other.attempt === completion.attempt
    return isOwn ? [] : [failure(completion, 'by two tenures', [other, completion])]
  })
  return [...twice, ...byOthers]
}

function effectsTwice(history: History): Failure[] {
  const tickOf = new Map<string, string>()
  for (const tried of history.tries) {
    const addition = additionOf(tried)
    if (addition?.tick !== undefined) tickOf.set(addition.op, addition.tick)
  }
  const byTick = Map.groupBy(history.additions, (op) => tickOf.get(op))
  const accepted = acceptedAdditions(history)
  const at = timesOf(history)
  return [...byTick].flatMap(([tick, ops]) => {
    if (tick === undefined || ops.length < 2) return []
    const trace = accepted
      .filter(({ op }) => ops.includes(op))
      .map(({ op, who, answeredAtMs }) => `${at(answeredAtMs)}: "${op}" by ${who} was accepted`)
    const what = `Ticks: the effect of ${tick} is in the row ${ops.length} times: ${ops.join(', ')}.`
    return [{ claim: 'S5' as const, what, trace }]
  })
}

/** Only where the completion had certainly been accepted before the acquisition was asked for. */
function grantedAgain(history: History): Failure[] {
  const at = timesOf(history)
  const completions = [...acceptedCompletions(history), ...toldCompletions(history)]
  return acquisitionsOf(history).flatMap(({ tick, who, sentAtMs }) => {
    const done = completions.find((one) => tick !== undefined && one.tick >= tick && one.atMs < sentAtMs)
    if (tick === undefined || done === undefined) return []
    return [
      {
        claim: 'S4' as const,
        what: `Ticks: ${tick} was granted to ${who} after ${done.tick} had been completed.`,
        trace: [
          `${at(done.atMs)}: ${done.who} ${done.how}`,
          `${at(sentAtMs)}: the request of ${who} for ${tick} reached DynamoDB, which granted it`,
        ],
      },
    ]
  })
}
