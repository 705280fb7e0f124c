/**
 * A leader's writes by `send` to one protected row: numbered, sent again by the SDK, and explained if refused. It
 * mirrors functions/election/fenced-writes.ts; the rules F1 and F2 are the shipped ones.
 */
import { become, leftUnderWay, SDK_RETRIES, send, type Turn, withFault } from './model.ts'
import type { Leading, Pending, State } from './state.ts'
import { fencedArrives, hasLanded } from './table.ts'
import { labelOf } from './world.ts'

export function sendEffect(turn: Turn, leader: Leading): void {
  const { model, index } = turn
  const step = leader.effectStep + 1
  const settled = (leader.pending[0]?.sent.request.step ?? step) - 1
  const request = { fencingToken: leader.token, step, settled }
  const pending: Pending = {
    sent: { kind: 'fence', from: index, order: leader.order, request },
    isUnanswered: false,
    resends: SDK_RETRIES,
  }
  const effects = leader.effects - 1
  const next: Leading = { ...leader, effects, effectStep: step, pending: [...leader.pending, pending] }
  const sent = { ...turn, state: become(turn, next) }
  send(sent, `effect ${step}`, (then) => effectSteps(then, next, pending), model.world.sideBySide)
}

export function effectSteps(turn: Turn, leader: Leading, pending: Pending): void {
  const { model, state, take } = turn
  const { sent } = pending
  const name = `effect ${sent.request.step}`
  take('its effect arrives', answered(turn, leader, pending, state), name)
  if (state.ledger.faults === 0) return
  if (pending.resends > 0) {
    const again = { ...pending, isUnanswered: true, resends: pending.resends - 1 }
    const { state: after } = fencedArrives(model, withFault(state), sent)
    const next = become({ ...turn, state: after }, withPending(leader, pending, again))
    take('its effect arrives, the reply is lost, and the SDK sends it again', next, name)
  }
  const left = leftUnderWay(state, sent)
  take('its effect arrives, a copy stays under way', answered(turn, leader, pending, left), name)
  const unanswered = become({ ...turn, state: left }, withPending(leader, pending))
  take('its effect gets no answer, and may still be under way', unanswered, name)
}

function withPending(leader: Leading, old: Pending, ...replacement: readonly Pending[]): Leading {
  return { ...leader, pending: leader.pending.flatMap((one) => (one === old ? replacement : [one])) }
}

function answered(turn: Turn, leader: Leading, pending: Pending, before: State): State {
  const { state, lands } = fencedArrives(turn.model, before, pending.sent)
  if (!lands) checkRefusal({ ...turn, state }, pending)
  return become({ ...turn, state }, withPending(leader, pending))
}

/** S6: what a leader learns about a refused effect must be true, and none is refused for another of its own. */
function checkRefusal({ model, state, index }: Turn, { sent, isUnanswered }: Pending): void {
  const { ledger } = state
  const explanation = model.rules.explainRefusedWrite(ledger.fenced.seen, sent.request)
  const isThere = hasLanded(ledger, sent)
  const broke = (what: string) =>
    model.broke('S6', `effect ${sent.request.step} of ${labelOf(model.world, index)} ${what}`)
  if (explanation === 'mine') {
    model.reached('a refused effect is recognised as its own')
    if (!isThere) broke('is reported as written, but is not')
    return
  }
  if (isUnanswered && explanation === 'stale') {
    model.reached('a refused effect may have landed: a newer leader wrote the row')
  }
  if (isUnanswered && explanation === 'covered') {
    model.reached('a refused effect may have landed: a later one of its own came last')
  }
  if (isUnanswered && explanation !== 'absent') return
  if (isThere) broke('has landed, and is reported as refused')
  if (explanation !== 'stale' && !model.world.ownCondition) broke('is refused, but no newer leader has written the row')
}
