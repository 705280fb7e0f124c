/** What a run looks like in a terminal: a line per tick, a line per failure, and an end that says whether all is well. */
import pc from 'picocolors'
import type { Money } from '../../../functions/billing/money.ts'
import { oneLine } from '../../programs/foreign-text.ts'
import { type CallFault, describeCallFault, FAULT_WORDS } from '../faults/fault.ts'
import { completionOf, completionsOf, type TickRecord, type Try, wasTakenOver } from '../run/tick.ts'
import { amountsOf, count, secondsOf, timeOf } from './phrases.ts'
import { statusLine } from './status-line.ts'
import type { ElectionSummary, Summary } from './summary.ts'
import type { Verdict } from './verdict.ts'

/** Standard output or standard error. */
export interface Terminal {
  readonly isTTY?: boolean
  /** Characters a line. */
  readonly columns?: number
  write(text: string): unknown
}

/** All that a run came to. */
export interface Ended extends Verdict {
  readonly summary: ElectionSummary | Summary
  /** What the gateway says that it charged. */
  readonly charges: readonly Money[]
  readonly struck: readonly CallFault[]
  /** The run was interrupted before its last tick was over. */
  readonly cut: boolean
}

export interface Display {
  note(text: string): void
  warn(text: string): void
  /** Where the page is. */
  page(url: string): void
  struck(fault: CallFault): void
  /** How many charges of a tick that takes long the gateway has answered. */
  progress(answered: number, expected: number): void
  tried(tried: Try): void
  /** `cut` where the run was interrupted before the tick was over. */
  ticked(record: TickRecord, charges: readonly Money[] | undefined, cut: boolean): void
  ended(ended: Ended): void
  close(): void
}

/** Structured lines of the level INFO tell what went well. */
const isNews = (logLine: string) => !/"level": ?"INFO"/.test(logLine)

/** Retries that come sooner need no countdown. */
const COUNTDOWN_FROM_MS = 2_000
const SHOWN_LOG_LINES = 5
/** Of a message, and of a line that was logged; the page has more of it. */
const SHOWN_LETTERS = 1_000
/** Those of the library come first: enough that the function's own are among them. */
const SHOWN_FRAMES = 6
/** Where nothing can be rewritten, progress is a line in this many times that it is told. */
const PROGRESS_LINE_EVERY = 5

export function startDisplay(stream: Terminal, env: NodeJS.ProcessEnv = process.env): Display {
  const colour = pc.createColors(wantsColour(stream, env))
  const status = statusLine(stream, colour.dim)
  let timesTold = 0
  const line = (text: string) => {
    status.clear()
    stream.write(`${text}\n`)
  }

  return {
    note: (text) => line(colour.dim(oneLine(text))),

    warn: (text) => line(colour.yellow(oneLine(text))),

    page: (url) => line(`Watch the election, and break it: ${colour.bold(url)}`),

    struck: (fault) => line(`    ${colour.yellow('⚡')} ${describeCallFault(fault)}`),

    progress: (answered, expected) => {
      const text = `    … ${answered} of ${count(expected, 'charge')} answered by the gateway`
      if (stream.isTTY === true) status.show(text)
      else if (timesTold++ % PROGRESS_LINE_EVERY === 0) line(colour.dim(text))
    },

    tried: ({ candidate, attempt, outcome }) => {
      if (outcome.status !== 'failed' || outcome.isTold === true) return
      const { retryInMs } = attempt
      const { ledWithToken, error, logs } = outcome
      const who = `candidate ${candidate}${ledWithToken === undefined ? '' : `, leading with token ${ledWithToken},`}`
      const next = retryInMs === undefined ? 'Lambda gives it up' : `Lambda tries again in ${secondsOf(retryInMs)}`
      const why = oneLine(`${error.errorType}: ${error.errorMessage}`, SHOWN_LETTERS)
      line(`    ${colour.red('✗')} ${who} failed: ${why}; ${colour.yellow(next)}`)
      const details = error.trace?.slice(1, 1 + SHOWN_FRAMES) ?? logs.filter(isNews).slice(-SHOWN_LOG_LINES)
      for (const detail of details) line(colour.dim(`        ${oneLine(detail.trim(), SHOWN_LETTERS)}`))
      if (retryInMs !== undefined && retryInMs > COUNTDOWN_FROM_MS) {
        status.countDown(`    … candidate ${candidate} is tried again`, retryInMs)
      }
    },

    ticked: (record, charges, cut) => {
      timesTold = 0
      const parts = [
        `${colour.dim(String(record.number).padStart(4))}  ${colour.bold(timeOf(record.tick))}`,
        cut ? colour.yellow('cut short') : leaderOf(record, colour),
        charges === undefined ? '' : chargesOf(charges),
        standbyOf(record),
        colour.dim(secondsOf(record.durationMs)),
      ]
      line(parts.filter((part) => part !== '').join('  '))
    },

    ended: ({ summary, charges, struck, faults, harm, inconclusive, cut }) => {
      const { ticks, completed, candidates, standby, failed, tookOver, staleWritesRefused } = summary
      const byOne = summary.completedTwice === 0 && candidates > 1 && completed > 0
      const byWhom = `${byOne ? `${completed > 1 ? 'each ' : ''}by one of` : 'by'} ${count(candidates, 'candidate')}`
      line('')
      line(`${completed} of ${count(ticks, 'tick')} completed, ${byWhom}`)
      line(`  ${standby} stood by, ${failed} failed, ${count(tookOver, 'leader')} replaced within the tick`)
      if (struck.length > 0) line(`  ${count(struck.length, 'fault')} struck: ${kindsOf(struck)}`)
      if ('charges' in summary) for (const text of moneyLines(summary, charges)) line(`  ${text}`)
      if (staleWritesRefused > 0)
        line(`  ${count(staleWritesRefused, 'write')} of replaced leaders refused by the fence`)
      for (const harmful of harm) line(colour.yellow(`  ${harmful}`))
      if (faults.length > 0) line(colour.red(`✗ ${oneLine(faults.join('; '))}`))
      for (const why of inconclusive) line(colour.yellow(`? ${oneLine(why)}`))
      if (faults.length > 0 || inconclusive.length > 0) return
      const [untilThen, right] = allRight(summary)
      if (cut) line(colour.yellow(`The last tick was cut short.${ticks > 1 ? ` Until then ${untilThen}.` : ''}`))
      else if (ticks === 0) line(colour.yellow('No tick was run.'))
      else line(colour.green(`✓ ${right}.`))
    },

    close: () => status.clear(),
  }
}

function moneyLines(summary: Summary, charges: readonly Money[]): readonly string[] {
  const { declined, replayedRequests } = summary
  const amounts = charges.length > 0 ? ` (${amountsOf(charges)})` : ''
  const recorded = charges.length === summary.charges ? '' : ` at the gateway, ${summary.charges} in the ledger`
  return [
    `${count(charges.length, 'charge')}${amounts}${recorded}`,
    ...(declined > 0 ? [`${declined} declined by the gateway, to be tried again on a later day`] : []),
    ...(replayedRequests > 0 ? [`${count(replayedRequests, 'repeated request')} that charged nothing more`] : []),
  ]
}

/** That all is well, for the middle of a sentence and as a whole one. */
function allRight(summary: ElectionSummary | Summary): readonly [untilThen: string, whole: string] {
  if (!('charges' in summary)) {
    return ['each tick was completed by one leader', 'Each tick was completed by one leader']
  }
  const { charges, declined } = summary
  const charged = `verything due was ${declined > 0 ? 'charged or declined' : 'charged'}, nothing twice`
  const isNothing = charges + declined === 0
  return [`e${charged}`, isNothing ? 'Nothing was due, nothing was charged' : `E${charged}; gateway and ledger agree`]
}

type Colours = ReturnType<typeof pc.createColors>

function leaderOf(record: TickRecord, colour: Colours): string {
  const completion = completionOf(record)
  if (completion?.outcome.status !== 'completed') return colour.red('nobody completed it')
  const completions = completionsOf(record)
  if (completions.length > 1) {
    return colour.red(`candidates ${completions.map(({ candidate }) => candidate).join(', ')} each completed it`)
  }
  const { candidate, outcome } = completion
  const how = wasTakenOver(record) ? colour.yellow('took over') : 'led      '
  return `${colour.green(`candidate ${candidate}`)} ${how} with token ${outcome.fencingToken}`
}

const chargesOf = (charges: readonly Money[]) =>
  charges.length > 0 ? `${count(charges.length, 'charge')} (${amountsOf(charges)})` : 'nothing charged'

/** Such as `3 stood by: 2 held, 1 tickDone`. */
function standbyOf({ tries }: TickRecord): string {
  const reasons = tries.flatMap(({ outcome }) => (outcome.status === 'standby' ? [outcome.reason] : []))
  return reasons.length === 0 ? '' : `${reasons.length} stood by: ${grouped(reasons)}`
}

/** Such as `2 killed, 3 reply dropped`. */
const kindsOf = (struck: readonly CallFault[]) => grouped(struck.map((fault) => FAULT_WORDS[fault.do]))

function grouped(words: readonly string[]): string {
  return Object.entries(Object.groupBy(words, (word) => word))
    .map(([word, those]) => `${those?.length} ${word}`)
    .join(', ')
}

/** https://no-color.org, https://force-color.org */
function wantsColour(stream: Terminal, env: NodeJS.ProcessEnv): boolean {
  if (env['NO_COLOR']) return false
  return Boolean(env['FORCE_COLOR']) || (stream.isTTY === true && env['TERM'] !== 'dumb')
}
