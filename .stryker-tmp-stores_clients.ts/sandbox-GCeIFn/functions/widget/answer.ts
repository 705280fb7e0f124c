/**
 * The widget's answer to any event: its documentation, the leases, or what is wrong with the parameters. CloudWatch
 * sends the widget's parameters and `widgetContext`. Both are untrusted: users who edit or open the dashboard choose
 * them.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/add_custom_widget_dashboard_about.html
 */
// @ts-nocheck

import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { property } from '../election/json.ts'
import { isLeaseName, LEASE_NAME_RULE } from '../election/options.ts'
import { show } from '../election/show.ts'
import { html } from './html.ts'
import type { TimeWindow } from './lanes.ts'
import { leaseView, type Reading } from './model.ts'
import type { Theme } from './palette.ts'
import { readLeases } from './reads.ts'
import { isInstant } from './time-words.ts'
import { renderMessage, renderWidget } from './widget.ts'

export const MOST_LEASES = 50

/** HTML, or Markdown in the form that CloudWatch expects. */
export type WidgetAnswer = string | { readonly markdown: string }

export async function answer(
  event: unknown,
  client: DynamoDBClient,
  leaseTable: string,
  now = Date.now,
): Promise<WidgetAnswer> {
  if (property(event, 'describe') === true) return { markdown: DOCUMENTATION }
  const { theme, width, window } = readContext(event)
  const parameters = readParameters(event)
  if (!parameters.ok) {
    const names = `Give 1 to ${MOST_LEASES} lease names, each of ${LEASE_NAME_RULE}, such as `
    const allowed = html`${names}<code>{ "leases": ["billing"] }</code>`
    return String(renderMessage('The parameters of this widget are wrong', [parameters.problem, allowed], theme))
  }
  const readings = await readLeases(client, leaseTable, parameters.value)
  // Taken after the reads, since countdowns begin when they are shown.
  const nowMs = now()
  const views = readings.map((reading) => leaseView(reading, nowMs))
  return String(renderWidget(views, { theme, width, nowMs, window }))
}

/** Each lease once, in the order given. */
export function readParameters(event: unknown): Reading<readonly string[]> {
  const wrong = (problem: string) => ({ ok: false, problem: `The parameter leases ${problem}.` }) as const
  const leases = property(event, 'leases')
  if (!Array.isArray(leases)) return wrong(`is ${show(leases)}, not a list of names`)
  const names = [...new Set<unknown>(leases)]
  if (names.length === 0) return wrong('is an empty list')
  if (names.length > MOST_LEASES) return wrong(`has ${names.length} names; a widget shows up to ${MOST_LEASES} leases`)
  const value = names.filter((name) => typeof name === 'string').filter(isLeaseName)
  if (value.length === names.length) return { ok: true, value }
  const foreign = names.find((name) => typeof name !== 'string' || !isLeaseName(name))
  return wrong(`contains ${show(foreign)}, which is no lease name`)
}

const DEFAULT_WIDTH = 600
/** What CloudWatch leaves free around the content, in pixels. If it is more, the picture shrinks. */
const PADDING = 32

export function readContext(event: unknown) {
  const context = property(event, 'widgetContext')
  const width = property(context, 'width')
  const isWidth = typeof width === 'number' && width > PADDING
  const theme: Theme = property(context, 'theme') === 'dark' ? 'dark' : 'light'
  return {
    theme,
    width: (isWidth ? width : DEFAULT_WIDTH) - PADDING,
    window: readWindow(property(context, 'timeRange')),
  }
}

/** The zoomed range, if there is one, else the time range of the dashboard. */
function readWindow(range: unknown): TimeWindow | undefined {
  for (const part of [property(range, 'zoom'), range]) {
    const [fromMs, toMs] = [property(part, 'start'), property(part, 'end')]
    if (typeof fromMs !== 'number' || typeof toMs !== 'number') continue
    if (isInstant(fromMs) && isInstant(toMs) && fromMs < toMs) return { fromMs, toMs }
  }
  return undefined
}

/** CloudWatch shows it to the user who edits the widget. */
const DOCUMENTATION = `## Leases
Who leads each lease, until when, what was completed last, and a timeline of the last tenures.

### Widget parameters
Parameter | Description
---|---
**leases** | Names of the leases to show, 1 to ${MOST_LEASES}. The function's role decides which it can read.

The timeline shows the time range of the dashboard, or the last known tenures if there is none in that range.

### Example parameters
\`\`\` yaml
leases:
  - billing
  - report/nightly
\`\`\`
`
