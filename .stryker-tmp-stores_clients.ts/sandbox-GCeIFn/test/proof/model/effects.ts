/**
 * A leader's writes by `send` to one protected row: numbered, sent again by the SDK, and explained if refused. It
 * mirrors functions/election/fenced-writes.ts; the rules F1 and F2 are the shipped ones.
 */
// @ts-nocheck

import { awaited, become, fates, isResent, NO_ANSWER, send, type Turn, withAwaited } from './model.ts'
import type { Awaited, Fenced, Leading } from './state.ts'
import { arrives, hasLanded, nameOf } from './table.ts'
import { labelOf } from './world.ts'

export function sendEffect(turn: Turn, leader: Leading): void {
  const { model, index } = turn
  const step = leader.effectStep + 1
  const [first] = leader.awaited
  const settled = (first?.sent.kind === 'fence' ? first.sent.request.step : step) - 1
  const request = { fencingToken: leader.token, step, settled }
  const sent: Fenced = { kind: 'fence', from: index, order: leader.order, request }
  const effects = leader.effects - 1
  const effect = awaited(sent)
  const next: Leading = { ...leader, effects, effectStep: step, awaited: [...leader.awaited, effect] }
  send({ ...turn, state: become(turn, next) }, sent, (then) => effectSteps(then, next, effect), model.world.sideBySide)
}

export function effectSteps(turn: Turn, leader: Leading, effect: Awaited<Fenced>): void {
  fates(
    turn,
    effect,
    (before) => {
      const { state, granted } = arrives(turn.model, before, effect.sent)
      if (!granted) checkRefusal({ ...turn, state }, effect)
      return become({ ...turn, state }, withAwaited(leader, effect))
    },
    (again) => withAwaited(leader, effect, again),
    (left) => left.take(NO_ANSWER, become(left, withAwaited(leader, effect)), nameOf(effect.sent)),
  )
}

/** S6: what a leader learns about a refused effect must be true, and none is refused for another of its own. */
function checkRefusal({ model, state, index }: Turn, effect: Awaited<Fenced>): void {
  const { ledger } = state
  const { sent } = effect
  const isUnanswered = isResent(effect)
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
