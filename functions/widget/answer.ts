/** The widget's answer to any event: its documentation, the leases, or what is wrong with the parameters. */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { property } from '../election/json.ts'
import { LEASE_NAME_RULE } from '../election/options.ts'
import { html } from './html.ts'
import { leaseView } from './model.ts'
import { readLeases } from './reads.ts'
import { MOST_LEASES, readContext, readParameters } from './request.ts'
import { renderMessage, renderWidget } from './widget.ts'

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
