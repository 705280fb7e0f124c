/** What the page says in words: the counters, who leads, what can be broken, the last tenures. Pure markup. */
import { type Content, html, type Markup } from '../../../../functions/widget/html.ts'
import { clockTime, span } from '../../../../functions/widget/time-words.ts'
import type { CandidateEntry } from '../../observe/entries.ts'
import { candidatesOf, type FailedTry, type History, type Tenure } from './history.ts'
import { currentsOf, endOf, outcomeWords, secondsOf, tickTime, workOutcome } from './picture.ts'

/** What is watched, in a line. */
export function renderSubject({ setup }: History): Markup {
  if (setup === undefined) return html`Waiting for the run to begin …`
  const { task, lease, leaseMs, periodMs, switchedOff } = setup
  const off =
    switchedOff.length === 0
      ? undefined
      : html` <strong>Switched off: the ${switchedOff.join(', the ')}. See what it is for.</strong>`
  return html`<b>${task}</b> on the lease <b>${lease}</b>, which lasts ${leaseMs / 1000} s unless it is renewed; ticks are ${span(periodMs)} apart.${off}`
}

export function renderCounters({ counts }: History): Markup {
  const { ticks = 0, completed = 0, completedTwice = 0, overdue = 0, staleRefused = 0 } = counts ?? {}
  const wrong = completedTwice > 0
  return html`${counter('Ticks', ticks)}${counter('Completed', completed)}${counter(
    'Completed twice',
    completedTwice,
    wrong ? 'must be 0: this is wrong' : 'must be 0',
    wrong ? 'wrong' : 'right',
  )}${counter('Overdue', overdue, 'over, and done by nobody', overdue > 0 ? 'late' : 'right')}${counter(
    'Stale effects refused',
    staleRefused,
    'of replaced leaders',
  )}`
}

function counter(name: string, value: number, more?: string, kind = 'plain'): Markup {
  const remark = more === undefined ? undefined : html` <small>${more}</small>`
  return html`<div class="counter ${kind}"><dt>${name}</dt><dd>${value}${remark}</dd></div>`
}

/** Who leads now, and until when, and what everything waits for. */
export function leaderWords(history: History, nowMs: number): string {
  const { leader, over } = history
  if (over !== undefined) return `${over.words}.`
  const frozen = leader?.frozen ?? []
  const asleep = frozen.length === 0 ? '' : `Frozen: a try of candidate ${frozen.join(', ')}.`
  return [whoLeads(currentsOf(history), nowMs), retryWords(history, nowMs), asleep]
    .filter((text) => text !== '')
    .join(' ')
}

function whoLeads([current, ...others]: readonly Tenure[], nowMs: number): string {
  if (current === undefined) return 'Nobody leads; the lease is free.'
  if (others.length > 0) {
    const who = [current, ...others].map(({ candidate }) => candidate).join(', ')
    return `Candidates ${who} lead at once, each with a lease of its own.`
  }
  const { candidate, token, expiresAtMs, doneAtMs } = current
  const leftMs = expiresAtMs - nowMs
  const left = leftMs > 0 ? `runs out in ${secondsOf(leftMs)}` : 'has run out'
  const who = doneAtMs === undefined ? 'leads' : 'is gone, without giving it up'
  return `Candidate ${candidate} ${who}, token ${token}; the lease ${left}.`
}

/** Without it one would ask why nothing happens for so long. */
function retryWords({ retries, tick }: History, nowMs: number): string {
  const [next] = [...retries.values()].filter((retry) => retry.tick === tick).sort((a, b) => a.atMs - b.atMs)
  if (next === undefined || next.atMs <= nowMs) return ''
  return `Lambda tries candidate ${next.candidate} again in ${secondsOf(next.atMs - nowMs)}; the next tick comes when this one has settled.`
}

/** The acts on the leader. */
export function renderLeaderActs({ leader, over }: History): Markup {
  const { armed, frozen = [] } = leader ?? {}
  const isOver = over !== undefined
  const [killWords, freezeWords] = [
    armed === 'kill' ? 'The next leader will be killed' : 'Kill the leader',
    armed === 'freeze' ? 'The next leader will be frozen' : 'Freeze the leader',
  ]
  return html`${act({ do: 'killLeader' }, killWords, isOver || armed === 'kill', 'act-kill')}${act(
    { do: 'freezeLeader' },
    freezeWords,
    isOver || armed === 'freeze',
    'act-freeze',
  )}${act({ do: 'thawLeader' }, frozen.length > 0 ? `Thaw candidate ${frozen.join(', ')}` : 'Thaw', isOver || (frozen.length === 0 && armed !== 'freeze'), 'act-thaw')}`
}

/** An act is carried as JSON, and sent by whoever clicks. */
function act(what: object, words: Content, disabled: boolean, id: string): Markup {
  const off = disabled ? html` disabled` : undefined
  return html`<button type="button" id="${id}" data-act="${JSON.stringify(what)}"${off}>${words}</button>`
}

const SKEWS_MS = [-60_000, -5_000, -1_500, -500, 0, 500, 1_500, 5_000, 60_000]

/** The candidates, and what can be done to each. */
export function renderCandidates(history: History): Markup {
  const { over, setup } = history
  const there = candidatesOf(history).filter(({ isThere }) => isThere)
  const isFull = there.length >= (setup?.mostCandidates ?? 0)
  const rows = there.map((one) => candidateRow(one, over !== undefined, there.length === 1))
  return html`<ul class="candidates">${rows}</ul>${act({ do: 'addCandidate' }, 'Add a candidate', over !== undefined || isFull, 'act-add')}`
}

function candidateRow(one: CandidateEntry, isOver: boolean, isLast: boolean): Markup {
  const { candidate, skewMs, isCutOff, dropsReply } = one
  const choices = [...new Set([...SKEWS_MS, skewMs])].sort((a, b) => a - b)
  const options = choices.map(
    (ms) => html`<option value="${ms}"${ms === skewMs ? html` selected` : undefined}>${skewWords(ms)}</option>`,
  )
  const off = isOver ? html` disabled` : undefined
  const id = (what: string) => `act-${what}-${candidate}`
  const whom = html`<span class="hidden"> for candidate ${candidate}</span>`
  return html`<li id="candidate-${candidate}"><b>Candidate ${candidate}</b>
<label>Clock${whom} <select id="${id('skew')}" data-skew="${candidate}"${off}>${options}</select></label>
${act({ do: 'dropReply', candidate }, html`${dropsReply ? 'The next reply will be lost' : 'Drop the next reply'}${whom}`, isOver || dropsReply, id('drop'))}
${act({ do: isCutOff ? 'reconnect' : 'cutOff', candidate }, html`${isCutOff ? 'Connect again' : 'Cut off'}${whom}`, isOver, id('cut'))}
${act({ do: 'removeCandidate', candidate }, html`Remove${whom}`, isOver || isLast, id('remove'))}</li>`
}

function skewWords(ms: number): string {
  if (ms === 0) return 'right'
  return `${Math.abs(ms) / 1000} s ${ms > 0 ? 'ahead' : 'behind'}`
}

const SHOWN_TURNS = 20

/** The last tenures, and the tries that failed without one. Each opens its story. */
export function renderTenures({ tenures, failedTries }: History): Markup {
  const rows = [
    ...tenures.slice(-SHOWN_TURNS).map((tenure) => ({ atMs: tenure.fromMs, row: tenureRow(tenure) })),
    ...failedTries.slice(-SHOWN_TURNS).map((one) => ({ atMs: one.atMs, row: failedRow(one) })),
  ]
  const shown = rows.toSorted((a, b) => b.atMs - a.atMs).slice(0, SHOWN_TURNS)
  if (shown.length === 0) return html`<p>No candidate has led yet.</p>`
  return html`<div class="wide"><table><caption>The last tenures, newest first; times are UTC</caption>
<thead><tr><th scope="col">Token</th><th scope="col">Candidate</th><th scope="col">Tick</th><th scope="col">Outcome</th><th scope="col">Began</th><th scope="col">Lasted</th><th scope="col">Effects</th></tr></thead>
<tbody>${shown.map(({ row }) => row)}</tbody></table></div>`
}

function tenureRow(tenure: Tenure): Markup {
  const { number, token, candidate, tick, fromMs, accepted, refused } = tenure
  const endMs = endOf(tenure)
  return html`<tr id="row-${number}"><th scope="row"><button type="button" id="story-${number}" data-story="${number}" aria-label="Story of the tenure with token ${token}">${token}</button></th><td>${candidate}</td><td>${tick === undefined ? '' : tickTime(tick)}</td><td class="${workOutcome(tenure)}">${outcomeWords(tenure)}</td><td>${clockTime(fromMs, 'seconds')}</td><td>${endMs === undefined ? '' : span(endMs - fromMs)}</td><td>${effectWords(accepted, refused)}</td></tr>`
}

function failedRow({ atMs, candidate, invocation, tick, error }: FailedTry): Markup {
  return html`<tr id="try-${invocation}"><th scope="row"><button type="button" id="failure-${invocation}" data-failure="${invocation}" aria-label="none: why candidate ${candidate} failed">none</button></th><td>${candidate}</td><td>${tick === undefined ? '' : tickTime(tick)}</td><td class="failed">failed: ${error.name}</td><td>${clockTime(atMs, 'seconds')}</td><td></td><td></td></tr>`
}

function effectWords(accepted: number, refused: number): string {
  return refused === 0 ? String(accepted) : `${accepted}, ${refused} refused`
}
