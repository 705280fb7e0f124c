/** Entries of a made-up election, as a run of ten candidates would tell them: for pages that need many, or always the same. */
import type { Entry } from '../../infra/local/observe/entries.ts'

const FIRST_TOKEN = 1_795_000_000_000
const FIRST_TICK_MS = Date.parse('2026-01-01T00:00:00.000Z')
/** From one tick to the next, in real time. */
export const APART_MS = 2_000
const LEASE_MS = 1_500

export const CANDIDATES = 10

export function syntheticSetup(): readonly Entry[] {
  const candidates = Array.from({ length: CANDIDATES }, (_, index): Entry => {
    return { kind: 'candidate', candidate: index + 1, isThere: true, skewMs: 0, isCutOff: false, dropsReply: false }
  })
  return [
    {
      kind: 'setup',
      task: 'billing',
      lease: 'billing',
      leaseMs: LEASE_MS,
      periodMs: 3_600_000,
      switchedOff: [],
      mostCandidates: 10,
    },
    ...candidates,
    { kind: 'leader', frozen: [] },
  ]
}

/** The tick of this number, from 1: one candidate leads, the others stand by; now and then it dies, and another takes over. */
export function syntheticTick(number: number, atMs: number): readonly Entry[] {
  const tick = new Date(FIRST_TICK_MS + number * 3_600_000).toISOString()
  const leader = (number % CANDIDATES) + 1
  const token = FIRST_TOKEN + number
  const invocation = (candidate: number) => `${number}-${candidate}`
  const all = Array.from({ length: CANDIDATES }, (_, index) => index + 1)
  const dies = number % 7 === 0
  return [
    { kind: 'ticked', atMs, number, tick },
    ...all.map((candidate): Entry => {
      return { kind: 'woken', atMs: atMs + candidate, candidate, invocation: invocation(candidate), tick, retry: 0 }
    }),
    {
      kind: 'began',
      atMs: atMs + 20,
      tenure: number,
      token,
      candidate: leader,
      invocation: invocation(leader),
      tick,
      expiresAtMs: atMs + 20 + LEASE_MS,
      ...((number - 1) % 7 === 0 ? { replaced: number - 1 } : {}),
    },
    ...all
      .filter((candidate) => candidate !== leader)
      .map((candidate): Entry => {
        const done = { candidate, invocation: invocation(candidate), status: 'standby', reason: 'held' } as const
        return { kind: 'done', atMs: atMs + 30 + candidate, ...done }
      }),
    ...[100, 200, 300].map((afterMs): Entry => {
      const what = 'UpdateItem of Subscriptions'
      return {
        kind: 'effect',
        atMs: atMs + afterMs,
        tenure: number,
        token,
        candidate: leader,
        verdict: 'accepted',
        what,
        times: 10,
      }
    }),
    ...(dies ? deathOf(leader, invocation(leader), atMs + 400) : endOf(leader, number, invocation(leader), atMs + 400)),
    { kind: 'counts', ticks: number, completed: number, completedTwice: 0, overdue: 0, staleRefused: 0 },
  ]
}

function endOf(candidate: number, tenure: number, invocation: string, atMs: number): readonly Entry[] {
  return [
    { kind: 'ended', atMs, tenure, how: 'completed' },
    { kind: 'done', atMs: atMs + 5, candidate, invocation, status: 'completed' },
  ]
}

function deathOf(candidate: number, invocation: string, atMs: number): readonly Entry[] {
  const error = { name: 'Runtime.ExitError', message: 'Runtime exited with error: signal: killed', trace: [] }
  return [
    { kind: 'broken', atMs, candidate, words: 'killed' },
    { kind: 'done', atMs: atMs + 5, candidate, invocation, status: 'failed', error },
  ]
}
