/** What the widget answers to any event: its documentation, the leases, or what is wrong with the parameters. */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { property } from '../election/json.ts'
import { DOCUMENTATION } from './documentation.ts'
import { html } from './html.ts'
import { leaseView } from './model.ts'
import { readLeases } from './reads.ts'
import { MOST_LEASES, readContext, readParameters } from './request.ts'
import { renderMessage, renderWidget } from './widget.ts'

/** HTML, or Markdown in the form that CloudWatch takes it in. */
export type WidgetAnswer = string | { readonly markdown: string }

export interface AnswerOptions {
  readonly client: DynamoDBClient
  readonly leaseTable: string
  /** Wall clock, epoch ms. @default Date.now */
  readonly now?: () => number
}

export async function answer(
  event: unknown,
  { client, leaseTable, now = Date.now }: AnswerOptions,
): Promise<WidgetAnswer> {
  if (property(event, 'describe') === true) return { markdown: DOCUMENTATION }
  const { theme, width, window } = readContext(event)
  const parameters = readParameters(event)
  if (!parameters.ok) {
    const allowed = html`Give 1 to ${MOST_LEASES} names of leases, each of 1 to 128 letters, digits and . _ - / : such as <code>{ "leases": ["billing"] }</code>`
    return String(renderMessage('This widget does not know what to show', [parameters.problem, allowed], theme))
  }
  const readings = await readLeases(client, leaseTable, parameters.leases)
  // Read after the answers: a countdown counts from when it is shown.
  const nowMs = now()
  const views = readings.map((reading) => leaseView(reading, nowMs))
  return String(renderWidget(views, { theme, width, nowMs, window }))
}
