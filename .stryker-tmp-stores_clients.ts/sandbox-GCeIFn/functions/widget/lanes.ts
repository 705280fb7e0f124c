/** The timeline of leases: a lane per lease, since a lane per candidate in Lambda would have one bar. */
// @ts-nocheck

import { candidateId, describeTenure } from './descriptions.ts'
import type { LeaseView } from './model.ts'
import { instant, isInstant } from './time-words.ts'
import type { Lane, Timeline } from './timeline.ts'

export interface TimeWindow {
  readonly fromMs: number
  readonly toMs: number
}

/** The room before the oldest tenure, as a share of the window. */
const MARGIN = 0.03

export function leaseTimeline(views: readonly LeaseView[], nowMs: number, asked: TimeWindow | undefined): Timeline {
  const window = asked !== undefined && showsAny(views, asked, nowMs) ? asked : allTenures(views, nowMs)
  return { name: 'Tenures', ...window, nowMs, lanes: views.map((view) => lane(view, nowMs)) }
}

/** If the window shows no tenure, all tenures that were read are drawn instead. */
function showsAny(views: readonly LeaseView[], { fromMs, toMs }: TimeWindow, nowMs: number): boolean {
  const tenures = views.flatMap((view) => view.tenures)
  return tenures.some(({ beganAtMs, endedAtMs = nowMs }) => beganAtMs <= toMs && endedAtMs >= fromMs)
}

function allTenures(views: readonly LeaseView[], nowMs: number): TimeWindow {
  const oldestMs = views.reduce((oldest, { tenures }) => Math.min(oldest, tenures[0]?.beganAtMs ?? oldest), nowMs)
  const lengthMs = Math.max(60_000, nowMs - oldestMs)
  const fromMs = nowMs - lengthMs * (1 + MARGIN)
  return { fromMs: isInstant(fromMs) ? fromMs : oldestMs, toMs: nowMs }
}

function lane({ lease, tenures, knownFromMs }: LeaseView, nowMs: number): Lane {
  const last = tenures.at(-1)
  return {
    name: lease,
    knownFromMs,
    empty: last === undefined ? 'No tenure yet' : `Last tenure: ${instant(last.beganAtMs, nowMs)} UTC`,
    bars: tenures.map((tenure) => ({
      fromMs: tenure.beganAtMs,
      toMs: tenure.endedAtMs,
      label: candidateId(tenure.candidate ?? ''),
      outcome: tenure.outcome,
      title: describeTenure(tenure, nowMs),
    })),
  }
}
