/** Bugs of what a leader leaves to the next: rule A4, hand-overs, missed ticks, life signs. */
import { type Bug, bug, editsIn } from '../bug.ts'

const inRules = editsIn('functions/election/rules.ts')
const inExpressions = editsIn('functions/election/stores/expressions.ts')
const inRefusal = editsIn('functions/election/refusal.ts')
const inAcquire = editsIn('functions/election/acquire.ts')
const inEnds = editsIn('functions/election/ends.ts')
const inMissed = editsIn('functions/election/missed.ts')

export const handOverBugs: readonly Bug[] = [
  bug(['L3'], 'stands by while an earlier try of the event renews the lease', [
    inRefusal(
      'request.eventId !== undefined && record.eventId === request.eventId',
      'request.eventId !== undefined && record.eventId === request.eventId && record.step === 0',
    ),
  ]),
  bug(['S5'], 'an advance with items that is applied twice', [
    inRules('completedTick === request.tick && request.closesOnce === undefined', 'completedTick === request.tick'),
    inExpressions('request.closesOnce ? H4_ONCE : H4_IN_ORDER', 'H4_IN_ORDER'),
  ]),
  bug(['L4'], 'a pause as a floor of missed ticks', [
    inMissed('[[fromMs, Math.min(pausedFromMs, tickMs)] as const, [afterMs, tickMs]', '[[afterMs, tickMs]'),
  ]),
  bug(['R1'], 'A4 dropped', [
    inRules('!isReserved(record, request), // A4', 'true,'),
    inExpressions(
      "'attribute_not_exists(reservedUntilMs)',",
      "'attribute_not_exists(reservedUntilMs)', 'attribute_exists(reservedUntilMs)',",
    ),
  ]),
  bug(['L3'], 'A4 without the retry of the event that handed over', [
    inRules(' || (eventId !== undefined && record.eventId === eventId)', ''),
    inExpressions(
      "':candidate' : ':continuation'}`,\n    ...(eventId === undefined ? [] : ['eventId = :eventId']),",
      "':candidate' : ':continuation'}`,",
    ),
  ]),
  bug(['R1'], 'a reservation without end', [
    inRules('record.reservedUntilMs <= nowMs - maxClockSkewMs', 'record.reservedUntilMs <= 0'),
    inExpressions("'reservedUntilMs <= :expiredBefore',", "'reservedUntilMs <= :zero',"),
  ]),
  bug(['L2', 'R1'], 'a reservation that outlives its token', [
    inRules(' || record.reservedBy !== record.fencingToken', ''),
    inExpressions("'reservedBy <> fencingToken',", ''),
  ]),
  bug(['R1'], 'a hand-over without reservation', [
    inRules('fencingToken: reservedBy }', 'step: reservedBy }'),
    inExpressions("'reservedBy = :fencingToken'", "'reservedBy = :step'"),
  ]),
  bug(['L3'], 'the next invocation is started before the release', [
    inEnds(
      'const reservedFor = crypto.randomUUID()',
      'const reservedFor = crypto.randomUUID()\n    await this.#continue(reservedFor)',
    ),
    inEnds('const afterwards = () => this.#continue(reservedFor)', 'const afterwards = async () => undefined'),
  ]),
  bug(['L3'], 'a failed invoke reported as a success', [
    inEnds('this.#notContinued = new HandOverError(', 'return void new HandOverError('),
  ]),
  bug(['L3'], 'a continuation that does not present its id', [
    inAcquire('...(settings.continuation === undefined ? {} : { continuation: settings.continuation }),', ''),
  ]),
]
