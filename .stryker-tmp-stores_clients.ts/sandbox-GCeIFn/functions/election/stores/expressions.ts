// @ts-nocheck
import {
  type AcquireRequest,
  type Closing,
  type GiveBackRequest,
  type HolderWrite,
  type LeaseRecord,
  LONGEST_RESERVATION_MS,
  type Tenure,
  type TransferRequest,
} from '../rules.ts'

/** One conditional update of the lease row, in native values. */
export interface LeaseUpdate {
  readonly UpdateExpression: string
  readonly ConditionExpression: string
  readonly ExpressionAttributeValues: Record<string, unknown>
}

// The rules of rules.ts, under the same numbers. Those of an acquire hold if there is no row.
const A1_VACANT_OR_EXPIRED = '(attribute_not_exists(holder) OR expiresAtMs <= :expiredBefore)'
const A2_TICK_NOT_DONE = '(attribute_not_exists(completedTick) OR completedTick < :tick)'
const A2_HAS_TICKS = '(attribute_not_exists(attempt) OR attribute_exists(tick) OR attribute_exists(completedTick))'
const A2_HAS_NO_TICKS = '(attribute_not_exists(completedTick) AND attribute_not_exists(tick))'
const A3_NOT_PAUSED = '(attribute_not_exists(pausedUntilMs) OR pausedUntilMs <= :now)'
const A4_NOT_RESERVED = [
  'attribute_not_exists(reservedUntilMs)',
  'reservedBy <> fencingToken',
  'reservedUntilMs <= :expiredBefore',
  'reservedUntilMs > :longestReservation',
] as const
const A5_ATTEMPT_IS_NEW = '(attribute_not_exists(attempt) OR attempt <> :attempt)'
const A6_REQUEST_IS_FRESH = '(attribute_not_exists(writtenAtMs) OR writtenAtMs <= :writtenBefore)'
const H1_STILL_MINE = 'holder = :candidate AND attempt = :attempt AND fencingToken = :fencingToken'
const H2_STEP_IS_NEWER = 'step < :step'
const H4_IN_ORDER = '(attribute_not_exists(completedTick) OR completedTick <= :tick)'
const H4_ONCE = '(attribute_not_exists(completedTick) OR NOT completedTick >= :tick)'

export function acquireUpdate(request: AcquireRequest): LeaseUpdate {
  const { candidate, attempt, eventId, continuation, tick, nowMs, expiresAtMs, maxClockSkewMs } = request
  const sets = [
    'fencingToken = if_not_exists(fencingToken, :now) + :one',
    'holder = :candidate',
    'attempt = :attempt',
    'acquiredAtMs = :now',
    'expiresAtMs = :expiresAt',
    'writtenAtMs = :now',
    'step = :zero',
    ...(eventId === undefined ? [] : ['eventId = :eventId']),
    ...(tick === undefined ? [] : ['tick = :tick', 'firstTick = if_not_exists(firstTick, :tick)']),
  ]
  const reservedForMe = [
    `reservedFor = ${continuation === undefined ? ':candidate' : ':continuation'}`,
    ...(eventId === undefined ? [] : ['eventId = :eventId']),
  ]
  const removes = ['endedBy', 'errorName', ...(eventId === undefined ? ['eventId'] : [])]
  return {
    UpdateExpression: `SET ${sets.join(', ')} REMOVE ${removes.join(', ')}`,
    ConditionExpression: [
      A1_VACANT_OR_EXPIRED,
      ...(tick === undefined ? [A2_HAS_NO_TICKS] : [A2_TICK_NOT_DONE, A2_HAS_TICKS]),
      A3_NOT_PAUSED,
      `(${[...A4_NOT_RESERVED, ...reservedForMe].join(' OR ')})`,
      A5_ATTEMPT_IS_NEW,
      A6_REQUEST_IS_FRESH,
    ].join(' AND '),
    ExpressionAttributeValues: {
      ':candidate': candidate,
      ':attempt': attempt,
      ':now': nowMs,
      ':expiresAt': expiresAtMs,
      ':expiredBefore': nowMs - maxClockSkewMs,
      ':writtenBefore': nowMs + maxClockSkewMs,
      ':longestReservation': nowMs + maxClockSkewMs + LONGEST_RESERVATION_MS,
      ':zero': 0,
      ':one': 1,
      ...(eventId === undefined ? {} : { ':eventId': eventId }),
      ...(continuation === undefined ? {} : { ':continuation': continuation }),
      ...(tick === undefined ? {} : { ':tick': tick }),
    },
  }
}

export function holderUpdate(request: HolderWrite): LeaseUpdate {
  const { sets, removes, values } = changes(request)
  return {
    UpdateExpression:
      `SET ${['step = :step', 'writtenAtMs = :now', ...sets].join(', ')}` +
      (removes.length === 0 ? '' : ` REMOVE ${removes.join(', ')}`),
    ConditionExpression: holderCondition(request),
    ExpressionAttributeValues: { ...tenureValues(request), ':step': request.step, ':now': request.nowMs, ...values },
  }
}

function holderCondition(request: HolderWrite): string {
  const h4 = 'tick' in request ? [request.closesOnce ? H4_ONCE : H4_IN_ORDER] : []
  return [H1_STILL_MINE, H2_STEP_IS_NEWER, ...h4].join(' AND ')
}

interface Changes {
  readonly sets: readonly string[]
  readonly removes: readonly string[]
  readonly values: Record<string, unknown>
}

function changes(request: HolderWrite): Changes {
  switch (request.kind) {
    case 'renew':
      return { sets: ['expiresAtMs = :expiresAt'], removes: [], values: { ':expiresAt': request.expiresAtMs } }
    case 'saveCheckpoint':
      return {
        sets: ['expiresAtMs = :expiresAt', 'checkpoint = :checkpoint'],
        removes: [],
        values: { ':expiresAt': request.expiresAtMs, ':checkpoint': request.checkpoint },
      }
    case 'proclaim':
      return {
        sets: ['expiresAtMs = :expiresAt', 'announcement = :announcement', 'announcedBy = :fencingToken'],
        removes: [],
        values: { ':expiresAt': request.expiresAtMs, ':announcement': request.announcement },
      }
    case 'advance': {
      const { sets, removes, values } = closing(request)
      return {
        sets: ['expiresAtMs = :expiresAt', ...sets],
        removes,
        values: { ':expiresAt': request.expiresAtMs, ...values },
      }
    }
    case 'complete': {
      const { sets, removes, values } = closing(request)
      return {
        sets: ['endedBy = :endedBy', ...sets],
        removes: ['holder', 'errorName', ...removes],
        values: { ':endedBy': 'completed', ...values },
      }
    }
    case 'release':
      return releasing(request)
  }
}

const RESERVATION = ['reservedFor = :reservedFor', 'reservedUntilMs = :reservedUntil', 'reservedBy = :fencingToken']

function releasing(release: Partial<LeaseRecord>): Changes {
  const { endedBy, errorName, checkpoint, reservedFor, reservedUntilMs } = release
  return {
    sets: [
      'endedBy = :endedBy',
      ...(errorName === undefined ? [] : ['errorName = :errorName']),
      ...(checkpoint === undefined ? [] : ['checkpoint = :checkpoint']),
      ...(reservedFor === undefined ? [] : RESERVATION),
    ],
    removes: ['holder', ...(errorName === undefined ? ['errorName'] : [])],
    values: {
      ':endedBy': endedBy,
      ...(errorName === undefined ? {} : { ':errorName': errorName }),
      ...(checkpoint === undefined ? {} : { ':checkpoint': checkpoint }),
      ...(reservedFor === undefined ? {} : { ':reservedFor': reservedFor, ':reservedUntil': reservedUntilMs }),
    },
  }
}

function closing({ tick, keepsCheckpoint, gaveUp }: Closing & { readonly tick?: string }): Changes {
  return {
    sets: [
      ...(tick === undefined ? [] : ['completedTick = :tick', 'completedBy = :fencingToken']),
      ...(gaveUp === undefined ? [] : ['gaveUp = :gaveUp']),
    ],
    removes: [...(keepsCheckpoint ? [] : ['checkpoint']), ...(gaveUp === undefined ? ['gaveUp'] : [])],
    values: {
      ...(tick === undefined ? {} : { ':tick': tick }),
      ...(gaveUp === undefined ? {} : { ':gaveUp': gaveUp }),
    },
  }
}

export function giveBackUpdate({ candidate, attempt, nowMs }: GiveBackRequest): LeaseUpdate {
  return {
    UpdateExpression: 'SET writtenAtMs = :now, endedBy = :endedBy REMOVE holder, errorName',
    ConditionExpression: 'holder = :candidate AND attempt = :attempt',
    ExpressionAttributeValues: {
      ':candidate': candidate,
      ':attempt': attempt,
      ':now': nowMs,
      ':endedBy': 'released',
    },
  }
}

export function transferUpdate({ fencingToken, to, nowMs, untilMs }: TransferRequest): LeaseUpdate {
  const T1_HELD = 'attribute_exists(holder) AND fencingToken = :fencingToken'
  const T1_NONE_OPEN = ['attribute_not_exists(transferUntilMs)', 'transferUntilMs <= :now', 'transferTo = :to']
  return {
    UpdateExpression: 'SET transferTo = :to, transferUntilMs = :until, transferBy = :fencingToken',
    ConditionExpression: `${T1_HELD} AND (${T1_NONE_OPEN.join(' OR ')} OR transferBy <> :fencingToken)`,
    ExpressionAttributeValues: { ':fencingToken': fencingToken, ':to': to, ':now': nowMs, ':until': untilMs },
  }
}

/** H1 alone, as the condition check of a transaction. */
export function guardCondition(tenure: Tenure): Omit<LeaseUpdate, 'UpdateExpression'> {
  return { ConditionExpression: H1_STILL_MINE, ExpressionAttributeValues: tenureValues(tenure) }
}

function tenureValues({ candidate, attempt, fencingToken }: Tenure): Record<string, unknown> {
  return { ':candidate': candidate, ':attempt': attempt, ':fencingToken': fencingToken }
}
