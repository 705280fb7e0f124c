/**
 * What CloudWatch sends to a custom widget: the widget's parameters, and beside them `widgetContext`. Both come from
 * whoever made or looks at the dashboard, and are held to be anything.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/add_custom_widget_dashboard_about.html
 */

import { property } from '../election/json.ts'
import { isLeaseName } from '../election/options.ts'
import type { TimeWindow } from './lanes.ts'
import type { THEMES } from './palette.ts'
import { isInstant } from './time-words.ts'
import { cut } from './wording.ts'

export const MOST_LEASES = 50

export type Parameters =
  | { readonly ok: true; readonly leases: readonly string[] }
  | { readonly ok: false; readonly problem: string }

/** Each lease once, in the order given. */
export function readParameters(event: unknown): Parameters {
  const leases = property(event, 'leases')
  if (!Array.isArray(leases))
    return { ok: false, problem: `The parameter leases is ${show(leases)}, not a list of names.` }
  const names: ReadonlySet<unknown> = new Set(leases)
  if (names.size === 0) return { ok: false, problem: 'The parameter leases is an empty list.' }
  if (names.size > MOST_LEASES) {
    return {
      ok: false,
      problem: `The parameter leases names ${names.size} leases; a widget shows up to ${MOST_LEASES}.`,
    }
  }
  const known = [...names].filter((name) => typeof name === 'string' && isLeaseName(name))
  if (known.length === names.size) return { ok: true, leases: known.map(String) }
  const wrong = [...names].find((name) => typeof name !== 'string' || !isLeaseName(name))
  return { ok: false, problem: `The parameter leases has ${show(wrong)} in it, which is no name of a lease.` }
}

export interface WidgetContext {
  readonly theme: keyof typeof THEMES
  readonly width: number
  readonly window: TimeWindow | undefined
}

const DEFAULT_WIDTH = 600
/** What the console keeps to itself around the content, in pixels. Too little only makes the picture shrink. */
const PADDING = 32

export function readContext(event: unknown): WidgetContext {
  const context = property(event, 'widgetContext')
  const width = property(context, 'width')
  const isWidth = typeof width === 'number' && width > PADDING
  return {
    theme: property(context, 'theme') === 'dark' ? 'dark' : 'light',
    width: (isWidth ? width : DEFAULT_WIDTH) - PADDING,
    window: readWindow(property(context, 'timeRange')),
  }
}

/** What is zoomed into, or else the time range of the dashboard. */
function readWindow(range: unknown): TimeWindow | undefined {
  for (const part of [property(range, 'zoom'), range]) {
    const [fromMs, toMs] = [property(part, 'start'), property(part, 'end')]
    if (typeof fromMs !== 'number' || typeof toMs !== 'number') continue
    if (isInstant(fromMs) && isInstant(toMs) && fromMs < toMs) return { fromMs, toMs }
  }
  return undefined
}

/** What was given, cut to what a message can hold. */
function show(value: unknown): string {
  if (value === undefined) return 'missing'
  if (typeof value === 'string') return JSON.stringify(cut(value, 60))
  return typeof value === 'object' && value !== null ? 'an object' : cut(String(value), 60)
}
