/** Entries of a synthetic election of ten candidates, for pages that need many entries, or always the same ones. */
// @ts-nocheck

import type { Entry } from '../../infra/local/observe/entries.ts'

const FIRST_TOKEN = 1_795_000_000_000
const FIRST_TICK_MS = Date.parse('2026-01-01T00:00:00.000Z')
/** Real time from one tick to the next. */
export const APART_MS = 2_000
const LEASE_MS = 1_500
const NO_EFFECTS = { accepted: 0, refused: 0, unguarded: 0 }
const KILLED = { name: 'Runtime.ExitError', message: 'Runtime exited with error: signal: killed' }
const NUMBERS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]

export function syntheticSetup(): readonly Entry[] {
  const state = { isPresent: true, skewMs: 0, isCutOff: false, dropsNextReply: false }
  const names = { task: 'billing', lease: 'billing', switchedOff: [] }
  return [
    { kind: 'setup', ...names, leaseMs: LEASE_MS, periodMs: 3_600_000 },
    ...NUMBERS.map((candidate): Entry => ({ kind: 'candidate', candidate, ...state })),
    { kind: 'leader', frozen: [] },
  ]
}

/** The tick of this number, from 1: one candidate leads, and the others stand by. Each seventh leader is killed. */
export function syntheticTick(number: number, atMs: number): readonly Entry[] {
  const tenureOf = (number: number, beganMs: number) => {
    const tick = new Date(FIRST_TICK_MS + number * 3_600_000).toISOString()
    const ids = { number, token: FIRST_TOKEN + number, candidate: (number % NUMBERS.length) + 1, tick }
    return { kind: 'tenure', atMs: beganMs + 20, ...ids, expiresAtMs: beganMs + 20 + LEASE_MS, ...NO_EFFECTS } as const
  }
  const tenure = tenureOf(number, atMs)
  const isKilled = (one: number) => one > 0 && one % 7 === 0
  const effects = { accepted: 30, doneAtMs: atMs + 405 }
  const ended = { ...effects, end: 'completed', endedAtMs: atMs + 400 } as const
  const killed = { ...effects, error: KILLED }
  const takenOver = { end: 'takenOver', endedAtMs: atMs + 20, successor: tenure.token } as const
  const { token, candidate, tick } = tenure
  const write = { kind: 'effect', tenure: number, token, candidate, what: 'UpdateItem of Subscriptions' } as const
  return [
    { kind: 'ticked', atMs, number, tick },
    ...(isKilled(number - 1) ? [{ ...tenureOf(number - 1, atMs - APART_MS), ...killed, ...takenOver }] : []),
    tenure,
    ...NUMBERS.filter((one) => one !== candidate).map(
      (one): Entry => ({ kind: 'standby', atMs: atMs + 30 + one, candidate: one, reason: 'held' }),
    ),
    ...[100, 200, 300].map((ms): Entry => ({ ...write, atMs: atMs + ms, times: 10, verdict: 'accepted' })),
    ...(isKilled(number) ? [{ kind: 'fault', atMs: atMs + 400, candidate, description: 'killed' } as const] : []),
    { ...tenure, ...(isKilled(number) ? killed : ended) },
    {
      kind: 'counts',
      ...{ ticks: number, completed: number, completedTwice: 0, overdue: 0, staleRefused: 0, staleAccepted: 0 },
    },
  ]
}
