// biome-ignore-all lint/suspicious/noTemplateCurlyInString: code is quoted as it is
/** Bugs of the leader's own writes: rules H1 to H3, renewing, completing, releasing. */
import { type Bug, bug, editsIn } from '../bug.ts'

const inRules = editsIn('functions/election/rules.ts')
const inRefusal = editsIn('functions/election/refusal.ts')
const inExpressions = editsIn('functions/election/stores/expressions.ts')
const inMissed = editsIn('functions/election/missed.ts')
const inTickWork = editsIn('functions/election/tick-work.ts')
const inLeadership = editsIn('functions/election/leadership.ts')
const inRenewals = editsIn('functions/election/renewals.ts')
const inRowWrites = editsIn('functions/election/row-writes.ts')
const inEnds = editsIn('functions/election/ends.ts')
const inDeadline = editsIn('functions/election/deadline.ts')
const inMiddleware = editsIn('functions/election/middleware.ts')

/** H1 and H2 hold only for writes of other kinds. */
function withoutHolderCheck(kind: string): Bug['edits'] {
  const refusal =
    'if (!isHeldBy(record, request) || !isNewer || !isInOrder(record, request)) return { granted: false, record }'
  return [
    inRules(
      refusal,
      `if (record === undefined) return { granted: false, record }
      if (request.kind !== '${kind}') ${refusal}`,
    ),
    inExpressions(
      'ConditionExpression: holderCondition(request)',
      'ConditionExpression: holderCondition(request) + ' +
        `(request.kind === '${kind}' ? ' OR attribute_exists(attempt)' : '')`,
    ),
  ]
}

export const holderBugs: readonly Bug[] = [
  bug(['S1', 'S2'], 'H1 without attempt and token', [
    inRules(
      'record.attempt === tenure.attempt &&\n    record.fencingToken === tenure.fencingToken',
      'record.attempt !== undefined',
    ),
    inExpressions(
      'holder = :candidate AND attempt = :attempt AND fencingToken = :fencingToken',
      'holder = :candidate AND (attempt <> :attempt OR attempt = :attempt) AND ' +
        '(fencingToken > :fencingToken OR fencingToken <= :fencingToken)',
    ),
  ]),
  bug(['S1'], 'H1 without the holder', [
    inRules('record.holder === tenure.candidate &&\n    record.attempt', 'record.attempt'),
    inExpressions("MINE = 'holder = :candidate", "MINE = '(attribute_not_exists(holder) OR holder = :candidate)"),
  ]),
  bug(['S1'], 'H2 dropped', [
    inRules('record !== undefined && record.step < request.step // H2', 'record !== undefined'),
    inExpressions("'step < :step'", "'(step < :step OR step >= :step)'"),
  ]),
  bug(['S1'], 'H3 dropped: renewed after its own deadline', [
    inRenewals('this.#leadership.assertLeading()\n    await this.#writes.renewal', 'await this.#writes.renewal'),
    inRenewals('this.#leadership.assertLeading()\n    await this.#writes.inTurn', 'await this.#writes.inTurn'),
    inRenewals(
      '    this.#leadership.assertLeading()\n    const { leaseMs',
      `    const { ended, ending } = this.#leadership
    if (ended !== undefined || ending !== undefined) throw this.#leadership.lost('has ended')
    const { leaseMs`,
    ),
    inRenewals('request.expiresAtMs)\n    this.#leadership.assertLeading()', 'request.expiresAtMs)'),
    inLeadership(
      'if (leftMs > 0) await this.#tenancy.clock.sleep(Math.ceil(leftMs), this.over)',
      'if (leftMs < 1e12) await this.#tenancy.clock.sleep(Math.max(1_000, Math.ceil(leftMs)), this.over)',
    ),
  ]),
  bug(['S1'], 'released without a check of the holder', [...withoutHolderCheck('release')]),
  bug(['S1', 'S5'], 'completed without a check of the holder', [...withoutHolderCheck('complete')]),
  bug(['S1'], 'renewed without a check of the holder', [...withoutHolderCheck('renew')]),
  bug(['S1'], 'given back without a check of the holder', [
    inRules(
      'if (record?.holder !== request.candidate || record.attempt !== request.attempt) return',
      'if (record?.holder === undefined) return',
    ),
    inExpressions(
      "'holder = :candidate AND attempt = :attempt',",
      "'(holder = :candidate AND attempt = :attempt) OR attribute_exists(holder)',",
    ),
  ]),
  bug(['S4', 'L4'], 'a completion that is not recorded', [
    inRules('if (tick === undefined) return kept', 'if (tick !== undefined || kept) return kept'),
    inExpressions("['completedTick = :tick', 'completedBy = :fencingToken']", '[]'),
  ]),
  bug(['S4', 'L3'], 'the completion of another tenure taken for its own', [
    inRefusal(
      'return record?.attempt === attempt && record.fencingToken === fencingToken && record.step === step',
      'return record?.step === step',
    ),
  ]),
  // A leader whose first reply was lost takes its own renewal for a loss.
  bug(['L3'], 'own write not recognised', [
    inRefusal('record.fencingToken === fencingToken && record.step === step', 'record.step > step'),
  ]),
  // A tick that the task released counts as done.
  bug([], 'a release repeated as a completion', [
    inEnds('if (ending === undefined) return', "if (ending === undefined || ending.how === 'released') return"),
  ]),
  // It renews meanwhile, or completes what it has asked to release.
  bug([], 'believes that it leads while its completion is under way', [inLeadership('this.#ending = ending', '')]),
  bug(['S4'], 'an end with the step of the renewal that it overtakes', [
    inEnds('make(this.#writes.nextStep())', 'make(Math.max(1, this.#writes.nextStep() - 1))'),
  ]),
  bug(['L3'], 'a refused renewal that its completion overtook taken for a loss', [
    inRenewals(': store.write(request, obsolete)', ': store.write(request)'),
    inRenewals(
      'const reply: WriteReply & { readonly look?: Look } = await unlessAborted(sent, obsolete)',
      `const replied: Promise<WriteReply & { readonly look?: Look }> = sent
    const judge = ({ granted, record }: { granted: boolean; record?: LeaseRecord }) => {
      const isOwn = record?.attempt === request.attempt && record.step === request.step
      if (!granted && !isOwn) this.#leadership.replaced(record)
    }
    void replied.then(judge, () => undefined)
    const reply = await unlessAborted(replied, obsolete)`,
    ),
  ]),
  bug(['L3'], 'a write refused because of its own newer one taken for a loss', [
    inRenewals('reply.record.step > request.step', "request.kind === 'release'"),
    inRowWrites('this.#isGuarding ?', 'true ?'),
  ]),
  bug(['S1'], 'the wall clock alone for the deadline', [
    inDeadline('Math.min(byWallMs, byMonotonicMs)', 'Math.max(byWallMs, Math.min(byWallMs, byMonotonicMs))'),
  ]),
  bug(['S1'], 'the monotonic clock alone for the deadline', [
    inDeadline('Math.min(byWallMs, byMonotonicMs)', 'Math.max(byMonotonicMs, Math.min(byWallMs, byMonotonicMs))'),
  ]),
  bug(['L2'], 'rows stamped by the wall clock of the moment', [
    inDeadline(
      'wallMs: askedAt.wallMs + (passedMs > 0 ? Math.floor(passedMs) : 0)',
      'wallMs: Math.max(clock.wallMs(), passedMs - passedMs)',
    ),
  ]),
  bug(['S1'], 'released by the middleware while the task may still run', [
    inMiddleware(
      `if (taskMayStillRun(request.error, led, timeoutEarlyInMillis)) lease.abandon()
      else await failed(lease, request.error)`,
      'await failed(lease, request.error)',
    ),
  ]),
  bug([], 'the checkpoint of another tick is offered', [
    inTickWork('this.#savedForThisTick?.state', 'this.#saved?.state'),
  ]),
  bug([], 'the checkpoint of a missed tick saved under the tick of its leader', [
    inTickWork('{ tick: this.#tick }),', '{ tick: String(this.#own) }),'),
  ]),
  bug(['L4'], 'a first tick that failed is not missed', [
    inMissed('Date.parse(firstTick) - 1', 'Date.parse(tick) - 1'),
  ]),
  bug(['L4'], 'missed ticks counted from the tick that was led last', [
    inMissed(': Date.parse(completedTick)', ': Date.parse(tick) - 1'),
  ]),
  bug(['L3'], 'a completion behind a successor reported as lost', [
    inRefusal('record?.completedBy === request.fencingToken', 'record?.completedBy === 0'),
  ]),
]
