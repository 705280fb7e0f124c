// biome-ignore-all lint/suspicious/noTemplateCurlyInString: code that is looked for is quoted as it is
/** Bugs of the leader's own writes: rules H1 to H3, renewing, completing, giving up. */
import type { Bug } from '../bug.ts'

const RULES = 'functions/election/rules.ts'
const EXPRESSIONS = 'functions/election/stores/expressions.ts'
const HANDLE = 'functions/election/lease-handle.ts'
const LEADERSHIP = 'functions/election/leadership.ts'
const RENEWALS = 'functions/election/renewals.ts'
const ROW_WRITES = 'functions/election/row-writes.ts'
const ENDS = 'functions/election/ends.ts'
const DEADLINE = 'functions/election/deadline.ts'

const HELD = 'if (!isHeldBy(record, request) || !isNewer) return { granted: false, record }'
const CONDITION = 'ConditionExpression: `${H1_STILL_MINE} AND ${H2_STEP_IS_NEWER}`,'

/** H1 and H2 hold only for writes of other kinds. */
function unguarded(kind: string): Bug['edits'] {
  return [
    {
      file: RULES,
      find: HELD,
      replace: `if (record === undefined) return { granted: false, record }
  if (request.kind !== '${kind}' && (!isHeldBy(record, request) || !isNewer)) return { granted: false, record }`,
    },
    {
      file: EXPRESSIONS,
      find: CONDITION,
      replace: `ConditionExpression: request.kind === '${kind}'
      ? \`(\${H1_STILL_MINE} AND \${H2_STEP_IS_NEWER}) OR attribute_exists(attempt)\`
      : \`\${H1_STILL_MINE} AND \${H2_STEP_IS_NEWER}\`,`,
    },
  ]
}

export const holderBugs: readonly Bug[] = [
  {
    name: 'H1 without attempt and token',
    why: 'the name of the candidate alone does not tell a tenure from the next',
    claims: ['S1', 'S2'],
    edits: [
      {
        file: RULES,
        find: `    record.attempt === tenure.attempt &&
    record.fencingToken === tenure.fencingToken`,
        replace: '    record.attempt !== undefined',
      },
      {
        file: EXPRESSIONS,
        find: 'holder = :candidate AND attempt = :attempt AND fencingToken = :fencingToken',
        replace:
          'holder = :candidate AND (attempt <> :attempt OR attempt = :attempt) AND (fencingToken > :fencingToken OR fencingToken <= :fencingToken)',
      },
    ],
  },
  {
    name: 'H1 without the holder',
    why: 'a lease that was given up can be renewed, and is held again',
    claims: ['S1'],
    edits: [
      {
        file: RULES,
        find: '    record.holder === tenure.candidate &&\n    record.attempt',
        replace: '    record.attempt',
      },
      {
        file: EXPRESSIONS,
        find: "'holder = :candidate AND attempt = :attempt AND fencingToken = :fencingToken'",
        replace:
          "'(attribute_not_exists(holder) OR holder = :candidate) AND attempt = :attempt AND fencingToken = :fencingToken'",
      },
    ],
  },
  {
    name: 'H2 dropped',
    why: 'a delayed copy of an old renewal shortens the lease, or rolls a checkpoint back',
    claims: ['S1'],
    edits: [
      {
        file: RULES,
        find: 'record !== undefined && record.step < request.step // H2',
        replace: 'record !== undefined',
      },
      { file: EXPRESSIONS, find: "'step < :step'", replace: "'(step < :step OR step >= :step)'" },
    ],
  },
  {
    name: 'H3 dropped: renewed after the own deadline',
    why: 'a process that slept extends a lease for a task that was told to stop',
    claims: ['S1'],
    edits: [
      {
        file: RENEWALS,
        find: `    obsolete.throwIfAborted()
    this.#leadership.assertLeading()`,
        replace: '    obsolete.throwIfAborted()',
      },
      {
        file: RENEWALS,
        find: `    this.#leadership.assertLeading()
    await this.#writes.inTurn`,
        replace: '    await this.#writes.inTurn',
      },
      {
        file: RENEWALS,
        find: `    this.#leadership.assertLeading()
    const { store,`,
        replace: `    const { ended, ending } = this.#leadership
    if (ended !== undefined || ending !== undefined) throw this.#leadership.lost('has ended')
    const { store,`,
      },
      {
        file: RENEWALS,
        find: `    deadline.extend(askedAt, expiresAtMs)
    this.#leadership.assertLeading()`,
        replace: '    deadline.extend(askedAt, expiresAtMs)',
      },
      {
        file: LEADERSHIP,
        find: `      if (leftMs > 0) await this.#tenancy.clock.sleep(Math.ceil(leftMs), this.over)
      // While an end is under way, nothing is known to be lost.
      else if (this.#ending !== undefined) await this.pauseBeforeRetry()
      else this.lose('reached its deadline without being renewed')`,
        replace: '      await this.#tenancy.clock.sleep(Math.max(1_000, Math.ceil(leftMs)), this.over)',
      },
    ],
  },
  {
    name: 'released without looking whose lease it is',
    why: "a replaced leader ends its successor's tenure",
    claims: ['S1'],
    edits: unguarded('release'),
  },
  {
    name: 'completed without looking whose lease it is',
    why: "a replaced leader completes its successor's tick",
    claims: ['S1', 'S5'],
    edits: unguarded('complete'),
  },
  {
    name: 'renewed without looking whose lease it is',
    why: "a replaced leader extends its successor's lease",
    claims: ['S1'],
    edits: unguarded('renew'),
  },
  {
    name: 'given back without looking whose lease it is',
    why: "a candidate that got no answer ends another's tenure",
    claims: ['S1'],
    edits: [
      {
        file: RULES,
        find: 'if (record?.holder !== request.candidate || record.attempt !== request.attempt) return',
        replace: 'if (record?.holder === undefined) return',
      },
      {
        file: EXPRESSIONS,
        find: "'holder = :candidate AND attempt = :attempt',",
        replace: "'(holder = :candidate AND attempt = :attempt) OR attribute_exists(holder)',",
      },
    ],
  },
  {
    name: 'a completion that is not recorded',
    why: 'the lease is vacant again, and the tick not done',
    claims: ['S4'],
    edits: [
      {
        file: RULES,
        find: 'request.tick === undefined ? rest : { ...rest, completedTick: request.tick }',
        replace: 'rest',
      },
      {
        file: EXPRESSIONS,
        find: "...(request.tick === undefined ? [] : ['completedTick = :tick'])],",
        replace: '],',
      },
      {
        file: EXPRESSIONS,
        find: "values: { ':endedBy': 'completed', ...(request.tick === undefined ? {} : { ':tick': request.tick }) },",
        replace: "values: { ':endedBy': 'completed' },",
      },
    ],
  },
  {
    name: "another's completion believed to be one's own",
    why: 'whoever asks again for a completion must know it by its token',
    claims: ['S4'],
    edits: [
      {
        file: RULES,
        find: 'record?.attempt === request.attempt && record.fencingToken === request.fencingToken',
        replace:
          "record !== undefined && (request.kind === 'complete' || (record.attempt === request.attempt && record.fencingToken === request.fencingToken))",
      },
    ],
  },
  {
    name: 'own write not recognised',
    why: 'whose first reply was lost takes its own renewal for a loss',
    claims: ['L3'],
    edits: [
      {
        file: RULES,
        find: 'record.step === request.step',
        replace: 'record.step > request.step',
      },
    ],
  },
  {
    name: 'a release repeated as a completion',
    why: 'the tick that the task gave up counts as done',
    claims: [],
    edits: [
      {
        file: ENDS,
        find: 'if (ending === undefined) return await this.complete([])',
        replace: "if (ending === undefined || ending.how === 'released') return await this.complete([])",
      },
    ],
  },
  {
    name: 'believes in its lease while its end is under way',
    why: 'it may have been done, and another may lead',
    claims: ['S1'],
    edits: [{ file: LEADERSHIP, find: '    this.#ending = ending\n', replace: '' }],
  },
  {
    name: 'an end under the step of the renewal that it overtakes',
    why: 'if the renewal arrives first, the end is taken for done',
    claims: ['S4'],
    edits: [
      {
        file: ENDS,
        find: 'send: make(this.#writes.nextStep())',
        replace: 'send: make(Math.max(1, this.#writes.nextStep() - 1))',
      },
    ],
  },
  {
    name: 'an overtaken renewal that is refused taken for a loss',
    why: 'a leader whose completion was granted is told that another leads',
    claims: ['L3'],
    edits: [
      {
        file: RENEWALS,
        find: 'const reply = await unlessAborted(store.write(request, obsolete), obsolete)',
        replace: `const replied = store.write(request)
    const judge = ({ granted, record }: { granted: boolean; record?: LeaseRecord }) => {
      const isOwn = record?.attempt === request.attempt && record.step === request.step
      if (!granted && !isOwn) this.#leadership.replaced(record)
    }
    void replied.then(judge, () => undefined)
    const reply = await unlessAborted(replied, obsolete)`,
      },
    ],
  },
  {
    name: "a write behind a newer one of one's own taken for a loss",
    why: 'a checkpoint whose reply was lost, and that a renewal was ahead of, ends the tenure',
    claims: ['L3'],
    edits: [
      {
        file: RENEWALS,
        find: 'if (!reply.granted && isHeldBy(reply.record, request) && reply.record.step > request.step) {',
        replace: "if (!reply.granted && isHeldBy(reply.record, request) && request.kind === 'release') {",
      },
      {
        file: ROW_WRITES,
        find: 'const patience = this.#isGuarding ? { patience: () => clock.sleep(leaseMs / 12, sent.signal) } : {}',
        replace: 'const patience = { patience: () => clock.sleep(leaseMs / 12, sent.signal) }',
      },
    ],
  },
  {
    name: 'the wall clock alone for the deadline',
    why: 'a clock that is set back stretches the lease',
    claims: ['S1'],
    edits: [
      {
        file: DEADLINE,
        find: 'const remainingMs = Math.min(byWallMs, byMonotonicMs)',
        replace: 'const remainingMs = Math.max(byWallMs, Math.min(byWallMs, byMonotonicMs))',
      },
    ],
  },
  {
    name: 'the monotonic clock alone for the deadline',
    why: 'a frozen process may have stopped it',
    claims: ['S1'],
    edits: [
      {
        file: DEADLINE,
        find: 'const remainingMs = Math.min(byWallMs, byMonotonicMs)',
        replace: 'const remainingMs = Math.max(byMonotonicMs, Math.min(byWallMs, byMonotonicMs))',
      },
    ],
  },
  {
    name: 'rows stamped by the wall clock as it is',
    why: 'a clock that jumps in mid-tenure leaves a row that nobody can take for the present',
    claims: ['L2'],
    edits: [
      {
        file: DEADLINE,
        find: 'wallMs: askedAt.wallMs + (passedMs > 0 ? Math.floor(passedMs) : 0)',
        // passedMs must stay used: what comes out is checked as TypeScript.
        replace: 'wallMs: Math.max(clock.wallMs(), passedMs - passedMs)',
      },
    ],
  },
  {
    name: 'released by the middleware while the task may still run',
    why: 'middy gives up on a handler shortly before the time-out, but cannot stop it',
    claims: ['S1'],
    edits: [
      {
        file: 'functions/election/middleware.ts',
        find: `if (taskMayStillRun(request.error, led, timeoutEarlyInMillis)) lease.abandon()
      else await failed(lease, request.error)`,
        replace: 'await failed(lease, request.error)',
      },
    ],
  },
  {
    name: 'the checkpoint of another tick is offered',
    why: "a leader goes on where an older tick's left off, and leaves out the beginning of its own",
    claims: [],
    edits: [
      {
        file: HANDLE,
        find: 'if (checkpoint !== undefined && checkpoint.tick === tick) this.#checkpoint',
        replace: 'if (checkpoint !== undefined) this.#checkpoint',
      },
    ],
  },
]
