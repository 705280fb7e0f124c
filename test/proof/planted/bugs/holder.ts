// biome-ignore-all lint/suspicious/noTemplateCurlyInString: code is quoted as it is
/** Bugs of the leader's own writes: rules H1 to H3, renewing, completing, releasing. */
import { type Bug, bug, editsIn } from '../bug.ts'

const inRules = editsIn('functions/election/rules.ts')
const inExpressions = editsIn('functions/election/stores/expressions.ts')
const inLeaseHandle = editsIn('functions/election/lease-handle.ts')
const inLeadership = editsIn('functions/election/leadership.ts')
const inRenewals = editsIn('functions/election/renewals.ts')
const inRowWrites = editsIn('functions/election/row-writes.ts')
const inEnds = editsIn('functions/election/ends.ts')
const inDeadline = editsIn('functions/election/deadline.ts')
const inMiddleware = editsIn('functions/election/middleware.ts')

/** H1 and H2 hold only for writes of other kinds. */
function withoutHolderCheck(kind: string): Bug['edits'] {
  const refusal = 'if (!isHeldBy(record, request) || !isNewer) return { granted: false, record }'
  const condition = '`${H1_STILL_MINE} AND ${H2_STEP_IS_NEWER}`'
  return [
    inRules(
      'write',
      refusal,
      `if (record === undefined) return { granted: false, record }
      if (request.kind !== '${kind}') ${refusal}`,
    ),
    inExpressions(
      'holderUpdate',
      `ConditionExpression: ${condition}`,
      `ConditionExpression: ${condition} + (request.kind === '${kind}' ? ' OR attribute_exists(attempt)' : '')`,
    ),
  ]
}

export const holderBugs: readonly Bug[] = [
  bug(
    'H1 without attempt and token',
    'the name of the candidate does not distinguish one tenure from the next',
    ['S1', 'S2'],
    inRules(
      'isHeldBy',
      'record.attempt === tenure.attempt &&\n    record.fencingToken === tenure.fencingToken',
      'record.attempt !== undefined',
    ),
    inExpressions(
      'H1_STILL_MINE',
      'holder = :candidate AND attempt = :attempt AND fencingToken = :fencingToken',
      'holder = :candidate AND (attempt <> :attempt OR attempt = :attempt) AND ' +
        '(fencingToken > :fencingToken OR fencingToken <= :fencingToken)',
    ),
  ),
  bug(
    'H1 without the holder',
    'a released lease can be renewed, and is held again',
    ['S1'],
    inRules('isHeldBy', 'record.holder === tenure.candidate &&\n    record.attempt', 'record.attempt'),
    inExpressions('H1_STILL_MINE', "'holder = :candidate", "'(attribute_not_exists(holder) OR holder = :candidate)"),
  ),
  bug(
    'H2 dropped',
    'a delayed copy of an old renewal shortens the lease or restores an old checkpoint',
    ['S1'],
    inRules('write', 'record !== undefined && record.step < request.step // H2', 'record !== undefined'),
    inExpressions('H2_STEP_IS_NEWER', "'step < :step'", "'(step < :step OR step >= :step)'"),
  ),
  bug(
    'H3 dropped: renewed after its own deadline',
    'a process that was frozen extends the lease of a task that was aborted',
    ['S1'],
    inRenewals('Renewals.renew', '    this.#leadership.assertLeading()\n', ''),
    inRenewals('Renewals.saveCheckpoint', '    this.#leadership.assertLeading()\n', ''),
    inRenewals(
      'Renewals.#extend',
      '    this.#leadership.assertLeading()\n    const { store',
      `    const { ended, ending } = this.#leadership
    if (ended !== undefined || ending !== undefined) throw this.#leadership.lost('has ended')
    const { store`,
    ),
    inRenewals(
      'Renewals.#extend',
      'askedAt, expiresAtMs)\n    this.#leadership.assertLeading()',
      'askedAt, expiresAtMs)',
    ),
    inLeadership(
      'Leadership.watchDeadline',
      'if (leftMs > 0) await this.#tenancy.clock.sleep(Math.ceil(leftMs), this.over)',
      'if (leftMs < 1e12) await this.#tenancy.clock.sleep(Math.max(1_000, Math.ceil(leftMs)), this.over)',
    ),
  ),
  bug(
    'released without a check of the holder',
    "a replaced leader ends its successor's tenure",
    ['S1'],
    ...withoutHolderCheck('release'),
  ),
  bug(
    'completed without a check of the holder',
    "a replaced leader completes its successor's tick",
    ['S1', 'S5'],
    ...withoutHolderCheck('complete'),
  ),
  bug(
    'renewed without a check of the holder',
    "a replaced leader extends its successor's lease",
    ['S1'],
    ...withoutHolderCheck('renew'),
  ),
  bug(
    'given back without a check of the holder',
    'a candidate that got no answer ends the tenure of another',
    ['S1'],
    inRules(
      'giveBack',
      'if (record?.holder !== request.candidate || record.attempt !== request.attempt) return',
      'if (record?.holder === undefined) return',
    ),
    inExpressions(
      'giveBackUpdate',
      "'holder = :candidate AND attempt = :attempt',",
      "'(holder = :candidate AND attempt = :attempt) OR attribute_exists(holder)',",
    ),
  ),
  bug(
    'a completion that is not recorded',
    'the lease is vacant again, but the tick is not done',
    ['S4'],
    inRules('written', 'request.tick === undefined ? rest : { ...rest, completedTick: request.tick }', 'rest'),
    inExpressions('changes', "...(request.tick === undefined ? [] : ['completedTick = :tick'])],", '],'),
    inExpressions(
      'changes',
      "values: { ':endedBy': 'completed', ...(request.tick === undefined ? {} : { ':tick': request.tick }) },",
      "values: { ':endedBy': 'completed' },",
    ),
  ),
  bug(
    'the completion of another tenure taken for its own',
    'a retried completion is recognised by attempt and token',
    ['S4'],
    inRules(
      'isOwnWrite',
      'record?.attempt === request.attempt && record.fencingToken === request.fencingToken',
      `record !== undefined && (request.kind === 'complete' ||
    record.attempt === request.attempt && record.fencingToken === request.fencingToken)`,
    ),
  ),
  bug(
    'own write not recognised',
    'a leader whose first reply was lost takes its own renewal for a loss',
    ['L3'],
    inRules('isOwnWrite', 'record.step === request.step', 'record.step > request.step'),
  ),
  bug(
    'a release repeated as a completion',
    'a tick that the task released counts as done',
    [],
    inEnds(
      'Ends.endAfterTask',
      'if (ending === undefined) return',
      "if (ending === undefined || ending.how === 'released') return",
    ),
  ),
  bug(
    'believes that it leads while its completion is under way',
    'it may be completed already, and another candidate may lead',
    ['S1'],
    inLeadership('Leadership.beginEnd', 'this.#ending = ending', ''),
  ),
  bug(
    'an end with the step of the renewal that it overtakes',
    'if the renewal arrives first, the end is believed to be written',
    ['S4'],
    inEnds('Ends.#end', 'make(this.#writes.nextStep())', 'make(Math.max(1, this.#writes.nextStep() - 1))'),
  ),
  bug(
    'a refused renewal that its completion overtook taken for a loss',
    'a leader whose completion was granted reports that it was replaced',
    ['L3'],
    inRenewals(
      'Renewals.#extend',
      'const reply = await unlessAborted(store.write(request, obsolete), obsolete)',
      `const replied = store.write(request)
    const judge = ({ granted, record }: { granted: boolean; record?: LeaseRecord }) => {
      const isOwn = record?.attempt === request.attempt && record.step === request.step
      if (!granted && !isOwn) this.#leadership.replaced(record)
    }
    void replied.then(judge, () => undefined)
    const reply = await unlessAborted(replied, obsolete)`,
    ),
  ),
  bug(
    'a write refused because of its own newer one taken for a loss',
    'a checkpoint whose reply was lost, and which a renewal overtook, ends the tenure',
    ['L3'],
    inRenewals('Renewals.#extend', 'reply.record.step > request.step', "request.kind === 'release'"),
    inRowWrites('RowWrites.renewal', 'this.#isGuarding ?', 'true ?'),
  ),
  bug(
    'the wall clock alone for the deadline',
    'a clock that is set back extends the lease',
    ['S1'],
    inDeadline(
      'Deadline.remainingMs',
      'Math.min(byWallMs, byMonotonicMs)',
      'Math.max(byWallMs, Math.min(byWallMs, byMonotonicMs))',
    ),
  ),
  bug(
    'the monotonic clock alone for the deadline',
    'it may have stopped while the process was frozen',
    ['S1'],
    inDeadline(
      'Deadline.remainingMs',
      'Math.min(byWallMs, byMonotonicMs)',
      'Math.max(byMonotonicMs, Math.min(byWallMs, byMonotonicMs))',
    ),
  ),
  bug(
    'rows stamped by the wall clock of the moment',
    'a clock that jumps during a tenure writes a row in the future',
    ['L2'],
    inDeadline(
      'instantAfter',
      'wallMs: askedAt.wallMs + (passedMs > 0 ? Math.floor(passedMs) : 0)',
      'wallMs: Math.max(clock.wallMs(), passedMs - passedMs)',
    ),
  ),
  bug(
    'released by the middleware while the task may still run',
    'middy gives up on a handler shortly before the time-out, but cannot stop it',
    ['S1'],
    inMiddleware(
      'leaderOnly',
      `if (taskMayStillRun(request.error, led, timeoutEarlyInMillis)) lease.abandon()
      else await failed(lease, request.error)`,
      'await failed(lease, request.error)',
    ),
  ),
  bug(
    'the checkpoint of another tick is offered',
    'a leader continues where an older tick stopped, and skips the beginning of its own',
    [],
    inLeaseHandle(
      'LeaseHandle.constructor',
      'if (checkpoint !== undefined && checkpoint.tick === tick) this.#checkpoint',
      'if (checkpoint !== undefined) this.#checkpoint',
    ),
  ),
]
