/** The parts of the page around the time line, and the log of a tenure. Pure markup. */
// @ts-nocheck

import { type Content, html, type Markup } from '../../../../functions/widget/html.ts'
import { CUSTOM_PROPERTIES } from '../../../../functions/widget/palette.ts'
import { clockTime, span } from '../../../../functions/widget/time-words.ts'
import { describeSkew, type ManualFault } from '../../faults/fault.ts'
import type { CandidateEntry, FailedAttempt, StandingCounts, TenureEntry } from '../../observe/entries.ts'
import type { Step } from '../../observe/tenure-logs.ts'
import type { History } from './history.ts'
import { currentTenures, describeOutcome, endOf, secondsOf, tickTime, workOutcome } from './picture.ts'

export function renderSubject({ setup }: History): Markup {
  if (setup === undefined) return html`Waiting for the run to begin …`
  const { task, lease, leaseMs, periodMs, switchedOff } = setup
  if (periodMs === undefined) {
    return html`You see servers stand for the lease <b>${lease}</b>: each candidate is a process that stays. One leads
and <b>${task}</b>; the others stand by. <small>The lease lasts ${leaseMs / 1000} s unless it is renewed. A process that
ends is started again, as by a supervisor.</small>`
  }
  const off =
    switchedOff.length === 0 ? undefined : html` <strong>Switched off: the ${switchedOff.join(', the ')}.</strong>`
  return html`You see candidates compete for the lease <b>${lease}</b>: at each tick one leads, and performs
<b>${task}</b>.${off} <small>Lease and time line are in real time: the lease lasts ${leaseMs / 1000} s unless it is
renewed. Ticks are simulated, ${span(periodMs)} apart: their times are not those of the time line.</small>`
}

/** Of the whole run at its end; before it, what is known so far. */
export function renderVerdict({ over, counts, standingCounts: standing }: History): Markup {
  if (over?.verdict !== undefined) return html`${over.verdict.map(({ kind, text }) => verdictLine(kind, text))}`
  if (standing !== undefined && standing.errors.length > 0) {
    return verdictLine('wrong', `✗ So far: ${standing.errors.join('; ')}.`)
  }
  if (standing !== undefined && standing.tenures > 0) return verdictLine('right', STANDING_IS_RIGHT)
  if (counts.ticks === 0) return html``
  const { completedTwice, staleAccepted, completed, ticks } = counts
  if (completedTwice > 0) return verdictLine('wrong', '✗ So far: a tick was completed more than once.')
  if (staleAccepted > 0)
    return verdictLine('wrong', '✗ So far: a write of a replaced leader was accepted without a fence.')
  return verdictLine('right', `So far all is well: ${completed} of ${ticks} ticks completed, each by one leader.`)
}

const STANDING_IS_RIGHT =
  'So far all is well: each token is higher than all before, and writes were applied in this order.'
const verdictLine = (kind: 'right' | 'wrong' | 'open', text: string) => html`<span class="${kind}">${text}</span>`

export function renderCounters({ counts, standingCounts, isStanding }: History): Markup {
  if (isStanding) return html`${standingCounters(standingCounts)}`
  const { ticks, completed, completedTwice, overdue, staleRefused, staleAccepted, money } = counts
  const [twice, kind] = completedTwice > 0 ? ['must be 0: this is wrong', 'wrong'] : ['must be 0', 'right']
  return html`${counter('Ticks', ticks)}
${counter('Completed', completed)}
${counter('Completed twice', completedTwice, twice, kind)}
${counter('Overdue', overdue, 'not completed', overdue > 0 ? 'late' : 'right')}
${staleRefusals(staleRefused)}
${staleAcceptances(staleAccepted)}
${money === undefined ? undefined : html`<div class="counter"><dt>Money</dt><dd>${money}</dd></div>`}`
}

function standingCounters(counts: StandingCounts | undefined): readonly Markup[] {
  const { tenures = 0, appended = 0, staleRefused = 0, staleAccepted = 0, lastGapMs, longestGapMs } = counts ?? {}
  const gap = (ms: number | undefined) => (ms === undefined ? 'never' : `${(ms / 1000).toFixed(2)} s`)
  return [
    counter('Tenures', tenures),
    counter('Writes of leaders', appended),
    counter('Last time without a leader', gap(lastGapMs), `longest: ${gap(longestGapMs)}`),
    staleRefusals(staleRefused),
    staleAcceptances(staleAccepted),
  ]
}

const staleRefusals = (times: number) => counter('Stale writes refused', times, 'by the fence')
const staleAcceptances = (times: number) =>
  counter('Stale writes accepted', times, 'no fence; must be 0', times > 0 ? 'wrong' : 'right')

function counter(name: string, value: number | string, remark?: string, kind = ''): Markup {
  const small = remark === undefined ? undefined : html` <small>${remark}</small>`
  return html`<div class="counter ${kind}"><dt>${name}</dt><dd>${value}${small}</dd></div>`
}

export function describeLeader(history: History, nowMs: number): string {
  const { leader, over } = history
  if (over !== undefined)
    return `The run has ended${over.verdict === undefined ? ' early; the terminal says why' : ''}.`
  const { frozen = [] } = leader ?? {}
  const more = frozen.length === 0 ? '' : ` Frozen: candidate ${frozen.join(', ')}.`
  return describeCurrent(currentTenures(history), nowMs) + more
}

function describeCurrent([current, ...others]: readonly TenureEntry[], nowMs: number): string {
  if (current === undefined) return 'No candidate leads; the lease is free.'
  if (others.length > 0) {
    const numbers = [current, ...others].map(({ candidate }) => candidate).join(', ')
    return `Candidates ${numbers} lead at once, each with a lease of its own.`
  }
  const { candidate, token, expiresAtMs, doneAtMs, announcement } = current
  const leftMs = expiresAtMs - nowMs
  const left = leftMs > 0 ? `expires in ${secondsOf(leftMs)}` : 'has expired'
  const state = doneAtMs === undefined ? 'leads' : 'ended without releasing the lease'
  const proclaims = announcement === undefined || doneAtMs !== undefined ? '' : ` It proclaims ${announcement}.`
  return `Candidate ${candidate} ${state}, token ${token}; the lease ${left}.${proclaims}`
}

export function renderLeaderFaults({ leader, isStanding }: History): Markup {
  const { armed, frozen = [] } = leader ?? {}
  const [isKill, isFreeze] = [armed === 'killLeader', armed === 'freezeLeader']
  const kill = isKill ? 'The next leader will be killed' : 'Kill the leader'
  const freeze = isFreeze ? 'The next leader will be frozen' : 'Freeze the leader'
  const thaw = frozen.length > 0 ? `Thaw candidate ${frozen.join(', ')}` : 'Thaw'
  return html`${faultButton({ do: 'killLeader' }, kill, isKill, 'fault-kill')}
${faultButton({ do: 'freezeLeader' }, freeze, isFreeze, 'fault-freeze')}
${faultButton({ do: 'thawLeader' }, thaw, frozen.length === 0 && !isFreeze, 'fault-thaw')}
${isStanding ? faultButton({ do: 'handOver' }, 'Hand over to the best', false, 'fault-hand-over') : undefined}`
}

/** The page sends the JSON in `data-fault` when the button is clicked. */
function faultButton(fault: ManualFault, label: Content, isOff: boolean, id: string): Markup {
  const off = isOff ? html` disabled` : undefined
  return html`<button type="button" id="${id}" data-fault="${JSON.stringify(fault)}"${off}>${label}</button>`
}

const SKEWS_MS = [-60_000, -5_000, -1_500, -500, 0, 500, 1_500, 5_000, 60_000]

export function renderCandidates(history: History): Markup {
  const present = history.sortedCandidates().filter(({ isPresent }) => isPresent)
  const rows = present.map((one) => candidateRow(one, present.length === 1, history.isStanding))
  const add = faultButton({ do: 'addCandidate' }, 'Add a candidate', false, 'fault-add')
  return html`<ul class="candidates">${rows}</ul>${add}`
}

function candidateRow(one: CandidateEntry, isLast: boolean, isStanding: boolean): Markup {
  const { candidate, skewMs, isCutOff, dropsNextReply } = one
  const choices = [...new Set([...SKEWS_MS, skewMs])].sort((a, b) => a - b)
  const options = choices.map(
    (ms) => html`<option value="${ms}"${ms === skewMs ? html` selected` : undefined}>${describeSkew(ms)}</option>`,
  )
  const id = (name: string) => `fault-${name}-${candidate}`
  const label = (text: string) => html`${text}<span class="hidden">, candidate ${candidate}</span>`
  const drop = dropsNextReply ? 'The next reply will be dropped' : 'Drop the next reply'
  const connection = isCutOff ? 'Reconnect' : 'Drop all requests'
  const handOver = () => faultButton({ do: 'handOver', candidate }, label('Hand over to it'), false, id('hand-over'))
  return html`<li id="candidate-${candidate}"><b>Candidate ${candidate}</b>
<label>${label('Clock')} <select id="${id('skew')}" data-skew="${candidate}">${options}</select></label>
${faultButton({ do: 'dropReply', candidate }, label(drop), dropsNextReply, id('drop'))}
${faultButton({ do: isCutOff ? 'reconnect' : 'cutOff', candidate }, label(connection), false, id('cut'))}
${faultButton({ do: 'removeCandidate', candidate }, label('Remove'), isLast, id('remove'))}
${isStanding ? handOver() : undefined}</li>`
}

const SHOWN_ROWS = 20
const COLUMNS = ['Outcome', 'Began', 'Lasted', 'Effects']

/** The last tenures, and the attempts that failed without leading. */
export function renderTenures({ numbered, isStanding }: History): Markup {
  const shown = [...numbered.values()].slice(-SHOWN_ROWS).reverse()
  if (shown.length === 0) return html`<p>No candidate has led yet.</p>`
  const [times, about] = isStanding ? ['times', 'Proclaimed'] : ['all times but ticks are real,', 'Tick (simulated)']
  return html`<div class="wide"><table><caption>The last tenures, newest first; ${times} in UTC</caption>
<thead><tr>${['Token', 'Candidate', about, ...COLUMNS].map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${shown.map(row)}</tbody></table></div>`
}

function row(one: TenureEntry | FailedAttempt): Markup {
  const { number, candidate, tick, atMs } = one
  const about = tick !== undefined ? tickTime(tick) : one.kind === 'tenure' ? one.announcement : undefined
  const [token, colour, outcome, lasted, effects] =
    one.kind === 'tenure'
      ? [one.token, workOutcome(one), describeOutcome(one), durationOf(one), effectsOf(one)]
      : (['none', 'failed', `failed: ${one.error.name}`, '', ''] as const)
  return html`<tr id="row-${number}"><th scope="row"><button type="button" id="log-${number}" data-log="${number}"
 aria-label="${token}: log of candidate ${candidate}">${token}</button></th><td>${candidate}</td>
<td>${about}</td><td style="color:${CUSTOM_PROPERTIES[colour]}">${outcome}</td>
<td>${clockTime(atMs, 'seconds')}</td><td>${lasted}</td><td>${effects}</td></tr>`
}

function durationOf(tenure: TenureEntry): string {
  const endMs = endOf(tenure)
  return endMs === undefined ? '' : span(endMs - tenure.atMs)
}

function effectsOf({ accepted, refused, unguarded }: TenureEntry): string {
  return `${accepted}${refused > 0 ? `, ${refused} refused` : ''}${unguarded > 0 ? `, ${unguarded} not fenced` : ''}`
}

export function renderLogTitle(shown: TenureEntry | FailedAttempt): Markup {
  const { kind, candidate, tick } = shown
  const what = kind === 'tenure' ? `, token ${shown.token}` : ' failed without leading'
  return html`Candidate ${candidate}${what}${tick === undefined ? '' : `, tick ${tick}`}`
}

export const renderLog = (steps: readonly Step[]): Markup => html`<ol class="steps">${steps.map(stepItem)}</ol>`

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
