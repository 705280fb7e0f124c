/** Entries of a synthetic election of ten candidates, for pages that need many entries, or always the same ones. */
import type { Entry } from '../../infra/local/observe/entries.ts'

const FIRST_TOKEN = 1_795_000_000_000
const FIRST_TICK_MS = Date.parse('2026-01-01T00:00:00.000Z')
/** Real time from one tick to the next. */
export const APART_MS = 2_000
const LEASE_MS = 1_500
const NUMBERS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]

export function syntheticSetup(): readonly Entry[] {
  const state = { isPresent: true, skewMs: 0, isCutOff: false, dropsNextReply: false }
  const names = { task: 'billing', lease: 'billing', switchedOff: [] }
  return [
    { kind: 'setup', ...names, leaseMs: LEASE_MS, periodMs: 3_600_000, maxCandidates: NUMBERS.length },
    ...NUMBERS.map((candidate): Entry => ({ kind: 'candidate', candidate, ...state })),
    { kind: 'leader', frozen: [] },
  ]
}

/** The tick of this number, from 1: one candidate leads, and the others stand by. Each seventh leader is killed. */
export function syntheticTick(number: number, atMs: number): readonly Entry[] {
  const tick = new Date(FIRST_TICK_MS + number * 3_600_000).toISOString()
  const leader = (number % NUMBERS.length) + 1
  const token = FIRST_TOKEN + number
  const ids = (candidate: number) => ({ candidate, invocation: `${number}-${candidate}` })
  const replaced = (number - 1) % 7 === 0 ? { replaced: number - 1 } : {}
  const writes = { tenure: number, token, candidate: leader, what: 'UpdateItem of Subscriptions', times: 10 }
  const killed = { name: 'Runtime.ExitError', message: 'Runtime exited with error: signal: killed', trace: [] }
  const end: readonly Entry[] =
    number % 7 === 0
      ? [
          { kind: 'fault', atMs: atMs + 400, candidate: leader, description: 'killed' },
          { kind: 'done', atMs: atMs + 405, ...ids(leader), status: 'failed', error: killed },
        ]
      : [
          { kind: 'ended', atMs: atMs + 400, tenure: number, how: 'completed' },
          { kind: 'done', atMs: atMs + 405, ...ids(leader), status: 'completed' },
        ]
  return [
    { kind: 'ticked', atMs, number, tick },
    ...NUMBERS.map((one): Entry => ({ kind: 'invoked', atMs: atMs + one, ...ids(one), tick, retry: 0 })),
    {
      kind: 'began',
      atMs: atMs + 20,
      ...{ tenure: number, token, ...ids(leader), tick, expiresAtMs: atMs + 20 + LEASE_MS, ...replaced },
    },
    ...NUMBERS.filter((one) => one !== leader).map(
      (one): Entry => ({ kind: 'done', atMs: atMs + 30 + one, ...ids(one), status: 'standby', reason: 'held' }),
    ),
    ...[100, 200, 300].map((ms): Entry => ({ kind: 'effect', atMs: atMs + ms, ...writes, verdict: 'accepted' })),
    ...end,
    {
      kind: 'counts',
      ticks: number,
      completed: number,
      completedTwice: 0,
      overdue: 0,
      staleRefused: 0,
      staleAccepted: 0,
    },
  ]
}
