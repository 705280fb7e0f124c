/**
 * A leader's writes by `send` to one protected row: numbered, sent again by the SDK, and explained when refused. Mirrors
 * functions/election/fenced-writes.ts; the rules F1 and F2 are the shipped ones.
 */
import { become, leftUnderWay, SDK_RETRIES, send, type Turn, withFault } from './model.ts'
import type { Leading, Pending, State } from './state.ts'
import { fencedArrives, hasLanded } from './table.ts'
import { who } from './world.ts'

const me = ({ model, index }: Turn): string => who(model.world, index)

export function sendEffect(turn: Turn, leader: Leading): void {
  const { model, index } = turn
  const step = leader.effectStep + 1
  const [oldest] = leader.pending
  const settled = (oldest?.sent.write.step ?? step) - 1
  const write = { fencingToken: leader.token, step, settled }
  const pending: Pending = {
    sent: { kind: 'fence', from: index, order: leader.order, write },
    unanswered: false,
    resends: SDK_RETRIES,
  }
  const next: Leading = {
    ...leader,
    effects: leader.effects - 1,
    effectStep: step,
    pending: [...leader.pending, pending],
  }
  model.saw('a leader sends a fenced effect')
  send(
    { ...turn, state: become(turn, next) },
    () => `${me(turn)} sends effect ${step}, fenced with token ${leader.token}`,
    (then) => effectSteps(then, next, pending),
    model.world.sideBySide,
  )
}

/** An effect is under way, and its answer is waited for. */
export function effectSteps(turn: Turn, leader: Leading, pending: Pending): void {
  const { model, state, take } = turn
  const { sent } = pending
  const what = () => `effect ${sent.write.step} of ${me(turn)}`
  take('a fenced effect arrives', answered(turn, leader, pending, state), () => `${what()} arrives`)
  if (state.ledger.faults === 0) return
  if (pending.resends > 0) {
    const again = { ...pending, unanswered: true, resends: pending.resends - 1 }
    take(
      'the reply to a fenced effect is lost, the SDK sends it again',
      become({ ...turn, state: fencedArrives(model, withFault(state), sent).state }, replaced(leader, pending, again)),
      () => `${what()} arrives, its reply is lost, and the SDK sends the same request again`,
    )
  }
  const left = leftUnderWay(state, sent)
  take(
    'a fenced effect arrives, a copy stays under way',
    answered(turn, leader, pending, left),
    () => `${what()} arrives, and a copy of it stays under way`,
  )
  take(
    'a fenced effect gets no answer',
    become({ ...turn, state: left }, replaced(leader, pending)),
    () => `${what()} gets no answer, and may still be under way`,
  )
}

function replaced(leader: Leading, pending: Pending, ...by: readonly Pending[]): Leading {
  return { ...leader, pending: leader.pending.flatMap((one) => (one === pending ? by : [one])) }
}

function answered(turn: Turn, leader: Leading, pending: Pending, before: State): State {
  const { state, lands } = fencedArrives(turn.model, before, pending.sent)
  if (!lands) judgeRefusal({ ...turn, state }, pending)
  return become({ ...turn, state }, replaced(leader, pending))
}

/** S6: what a leader is told of a refused effect must be so, and none is refused for another of its own. */
function judgeRefusal({ model, state, index }: Turn, { sent, unanswered }: Pending): void {
  const { ledger } = state
  const found = model.rules.explainRefusedWrite(ledger.fenced.seen, sent.write)
  const isThere = hasLanded(ledger, sent)
  const tell = (what: string) => model.broke('S6', `effect ${sent.write.step} of ${who(model.world, index)} ${what}`)
  if (found === 'mine') {
    model.saw('a refused effect is recognised as my own')
    if (!isThere) tell('is reported as written, but is not')
    return
  }
  if (unanswered && found === 'stale') model.saw('a refused effect may have landed: a newer leader wrote the row')
  if (unanswered && found === 'covered') model.saw('a refused effect may have landed: another of my own came last')
  if (unanswered && found !== 'absent') return
  if (isThere) tell('has landed, and is reported as refused')
  if (found !== 'stale' && !model.world.ownCondition) tell('is refused, but no newer leader has written the row')
}
