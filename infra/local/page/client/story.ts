/** The story of a tenure: each step in words, with what was asked and what was answered. Pure markup. */
import { html, type Markup } from '../../../../functions/widget/html.ts'
import { clockTime, span } from '../../../../functions/widget/time-words.ts'
import type { Step, Story } from '../../observe/stories.ts'
import type { FailedTry, Tenure } from './history.ts'
import { endOf, outcomeWords } from './picture.ts'

export function renderStoryTitle({ token, candidate, tick }: Tenure): Markup {
  return html`Candidate ${candidate}, token ${token}${tick === undefined ? '' : `, tick ${tick}`}`
}

export function renderStory(tenure: Tenure | undefined, { steps, leftOut, gapAt }: Story): Markup {
  const summary = tenure === undefined ? undefined : html`<p>${summaryOf(tenure)}</p>`
  const gap = html`<li class="gap">${leftOut} steps in between were too many to keep.</li>`
  const items =
    leftOut === 0 ? steps.map(stepItem) : [steps.slice(0, gapAt).map(stepItem), gap, steps.slice(gapAt).map(stepItem)]
  return html`${summary}<ol class="steps">${items}</ol>`
}

function summaryOf(tenure: Tenure): string {
  const { fromMs, accepted, refused } = tenure
  const endMs = endOf(tenure)
  const lasted = endMs === undefined ? '' : ` It lasted ${span(endMs - fromMs)}.`
  const stale = refused === 0 ? '' : ` ${refused} of its writes came after another had taken over, and were refused.`
  return `Outcome: ${outcomeWords(tenure)}.${lasted} ${accepted} effects were accepted.${stale}`
}

function stepItem({ atMs, words, request, came, tookMs, answer, isByHand, trace }: Step): Markup {
  const result = request === undefined ? undefined : html` <span class="came">→ ${came ?? 'no answer yet'}</span>`
  const took = tookMs === undefined ? undefined : html` <small>${Math.round(tookMs)} ms</small>`
  return html`<li${isByHand === true ? html` class="hand"` : undefined}><time>${clockTime(atMs, 'milliseconds')}</time> <div>${words}${result}${took}${json('Request', request)}${json('Answer', answer)}${stack(trace)}</div></li>`
}

function json(title: string, value: unknown): Markup | undefined {
  if (value === undefined) return undefined
  return html`<details><summary>${title}</summary><pre tabindex="0">${JSON.stringify(value, undefined, 2)}</pre></details>`
}

function stack(trace: readonly string[] | undefined): Markup | undefined {
  if (trace === undefined || trace.length === 0) return undefined
  return html`<details open><summary>Stack and log</summary><pre tabindex="0">${trace.join('\n')}</pre></details>`
}

export function renderFailure({ candidate, tick, error }: FailedTry): {
  readonly title: Markup
  readonly body: Markup
} {
  return {
    title: html`Candidate ${candidate} failed without leading`,
    body: html`<p>${tick === undefined ? '' : `Tick ${tick}. `}<b>${error.name}</b>: ${error.message}</p>${stack(error.trace)}`,
  }
}
