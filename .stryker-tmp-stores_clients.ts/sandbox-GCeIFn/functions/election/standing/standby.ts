// @ts-nocheck
import { jitter } from '../clock.ts'
import { InvalidOptionError, InvalidTickError } from '../errors.ts'
import { type Decision, decide, type View } from './decision.ts'
import { type Parts, StandingTenure, TRANSFER_MS } from './tenure.ts'

/** How often a candidate looks that the leader hands over to. */
const TAKE_OVER_POLL_MS = 75

/** Looks, decides and sleeps until this candidate leads; undefined once the campaign is over. */
export async function stand(parts: Parts, over: AbortSignal): Promise<StandingTenure | undefined> {
  const { vitals } = parts
  for (let failures = 0; !over.aborted; ) {
    let pauseMs: number
    try {
      const next = await step(parts)
      if (next instanceof StandingTenure) return next
      pauseMs = next
      failures = 0
      vitals.succeeded()
    } catch (error) {
      if (error instanceof InvalidOptionError || error instanceof InvalidTickError) throw error
      vitals.failed(error)
      pauseMs = vitals.backoffMs(++failures)
    }
    await vitals.pause(pauseMs, over)
  }
  return undefined
}

/** One look at the row, and what follows from it. @returns the tenure, or how long to sleep */
async function step(parts: Parts): Promise<StandingTenure | number> {
  const { settings, times, store, candidacy, vitals } = parts
  if (candidacy.dueInMs <= 0) await candidacy.refresh()
  const look = await store.read(settings.lease)
  vitals.seen()
  candidacy.checkClock(look.clockReading)
  const known = decide(candidacy.view(look.record))
  // Who stands may have changed since the last refresh.
  const isNews = known.kind === 'acquire' && look.record !== undefined && (await lookAgain(parts))
  const view = candidacy.view(look.record)
  const pollMs = Math.min(times.pollMs * jitter(), Math.max(0, candidacy.dueInMs))
  return await act(parts, isNews ? decide(view) : known, view, pollMs)
}

async function act(parts: Parts, decision: Decision, { nowMs }: View, pollMs: number) {
  const { settings, store, candidacy } = parts
  switch (decision.kind) {
    case 'acquire': {
      if (!(await candidacy.isHealthy())) {
        await candidacy.standBack()
        return pollMs
      }
      const tenure = await StandingTenure.acquire(parts)
      if (tenure instanceof StandingTenure) return tenure
      return clamp(tenure.retryAfterMs ?? pollMs, TAKE_OVER_POLL_MS, pollMs)
    }
    case 'requestTransfer': {
      const { lease, candidate: to } = settings
      const request = { lease, fencingToken: decision.fencingToken, to, nowMs, untilMs: nowMs + TRANSFER_MS }
      return (await store.requestTransfer(request)).granted ? TAKE_OVER_POLL_MS : pollMs
    }
    case 'takeOver':
      return TAKE_OVER_POLL_MS
    case 'wait':
      return decision.untilMs === undefined ? pollMs : clamp(decision.untilMs - nowMs, 1, pollMs)
  }
}

async function lookAgain({ candidacy, vitals }: Parts): Promise<boolean> {
  try {
    return await candidacy.lookAgain()
  } catch (error) {
    vitals.failed(error, 'candidates')
    return false // an older list of candidates is better than no leader
  }
}

function clamp(ms: number, leastMs: number, mostMs: number): number {
  return Math.max(leastMs, Math.min(ms, mostMs))
}
