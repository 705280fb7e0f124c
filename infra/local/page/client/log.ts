/** The log of a tenure: each step with its request and answer. Pure markup. */
import { html, type Markup } from '../../../../functions/widget/html.ts'
import { clockTime, span } from '../../../../functions/widget/time-words.ts'
import type { Step, TenureLog } from '../../observe/tenure-logs.ts'
import type { FailedAttempt, Tenure } from './history.ts'
import { describeOutcome, endOf } from './picture.ts'

export function renderLogTitle({ token, candidate, tick }: Tenure): Markup {
  return html`Candidate ${candidate}, token ${token}${tick === undefined ? '' : `, tick ${tick}`}`
}

export function renderLog(tenure: Tenure | undefined, { steps, dropped, gapAt }: TenureLog): Markup {
  const summary = tenure === undefined ? undefined : html`<p>${summaryOf(tenure)}</p>`
  const gap = dropped === 0 ? [] : [html`<li class="gap">${dropped} steps are not kept.</li>`]
  const items = [...steps.slice(0, gapAt).map(stepItem), ...gap, ...steps.slice(gapAt).map(stepItem)]
  return html`${summary}<ol class="steps">${items}</ol>`
}

function summaryOf(tenure: Tenure): string {
  const { fromMs, accepted, refused } = tenure
  const endMs = endOf(tenure)
  const duration = endMs === undefined ? '' : ` Duration: ${span(endMs - fromMs)}.`
  const stale = refused === 0 ? '' : ` Writes refused because another candidate had taken over: ${refused}.`
  return `Outcome: ${describeOutcome(tenure)}.${duration} Effects accepted: ${accepted}.${stale}`
}

function stepItem({ atMs, description, request, result, tookMs, answer, isFault, trace }: Step): Markup {
  const arrow = request === undefined ? undefined : html` <span class="result">→ ${result ?? 'no answer yet'}</span>`
  const took = tookMs === undefined ? undefined : html` <small>${Math.round(tookMs)} ms</small>`
  return html`<li${isFault === true ? html` class="fault"` : undefined}><time>${clockTime(atMs, 'milliseconds')}</time>
<div>${description}${arrow}${took}${json('Request', request)}${json('Answer', answer)}${stack(trace)}</div></li>`
}

function json(title: string, value: unknown): Markup | undefined {
  if (value === undefined) return undefined
  const text = JSON.stringify(value, undefined, 2)
  return html`<details><summary>${title}</summary><pre tabindex="0">${text}</pre></details>`
}

function stack(trace: readonly string[] = []): Markup | undefined {
  if (trace.length === 0) return undefined
  return html`<details open><summary>Stack and log</summary><pre tabindex="0">${trace.join('\n')}</pre></details>`
}

export function renderFailure({ candidate, tick, error }: FailedAttempt) {
  const ofTick = tick === undefined ? '' : `Tick ${tick}. `
  return {
    title: html`Candidate ${candidate} failed without leading`,
    body: html`<p>${ofTick}<b>${error.name}</b>: ${error.message}</p>${stack(error.trace)}`,
  }
}
