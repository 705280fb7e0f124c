/** S4 and S5: a tick is completed once, its effect takes place once, and nobody leads it again. */
import type { Failure } from '../../proof/part.ts'
import type { History } from '../history.ts'
import { acceptedAdditions, acquisitionsOf, additionOf } from './accepted.ts'
import { timesOf } from './times.ts'

export function checkTicks(history: History): Failure[] {
  return [...completedTwice(history), ...effectsTwice(history), ...grantedAgain(history)]
}

interface Completion {
  readonly tick: string
  readonly who: string
  readonly attempt: string
  readonly atMs: number
  readonly sentAtMs: number
  readonly how: string
}

/** By what DynamoDB accepted, and by what the workers were told. */
function completionsOf(history: History): Completion[] {
  const accepted = history.tries.flatMap(({ label, who, answer, withheld, invokedAtMs }) => {
    const said = answer ?? withheld
    if (label.as !== 'write' || label.request.kind !== 'complete' || said?.outcome !== 'ok') return []
    const { tick, attempt } = label.request
    const times = { atMs: said.atMs, sentAtMs: invokedAtMs }
    return tick === undefined ? [] : [{ tick, who, attempt, ...times, how: 'completed it' }]
  })
  const told = history.reports.flatMap((report) => {
    if (report.kind !== 'acknowledged' || report.tick === undefined) return []
    const { tick, who, attempt, atMs } = report
    return [{ tick, who, attempt, atMs, sentAtMs: atMs, how: 'was told that it had completed it' }]
  })
  return [...accepted, ...told].toSorted((a, b) => a.atMs - b.atMs)
}

function completedTwice(history: History): Failure[] {
  const at = timesOf(history)
  const first = new Map<string, Completion>()
  const tell = ({ who, attempt, atMs, how }: Completion) => `${at(atMs)}: ${who} ${how} (attempt ${attempt})`
  return completionsOf(history).flatMap((completion) => {
    const other = first.get(completion.tick)
    if (other === undefined) first.set(completion.tick, completion)
    if (other === undefined || other.attempt === completion.attempt) return []
    const what = `Ticks: ${completion.tick} was completed by two tenures.`
    return [{ claim: 'S5' as const, what, trace: [tell(other), tell(completion)] }]
  })
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
  const completions = completionsOf(history)
  return acquisitionsOf(history).flatMap(({ tick, who, invokedAtMs }) => {
    const done = completions.find((one) => tick !== undefined && one.tick >= tick && one.atMs < invokedAtMs)
    if (tick === undefined || done === undefined) return []
    return [
      {
        claim: 'S4' as const,
        what: `Ticks: ${tick} was granted to ${who} after ${done.tick} had been completed.`,
        trace: [
          `${at(done.atMs)}: ${done.who} ${done.how}`,
          `${at(invokedAtMs)}: ${who} asked for ${tick}, and got it`,
        ],
      },
    ]
  })
}
