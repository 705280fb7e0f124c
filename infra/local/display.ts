/** What a run looks like in a terminal: a line per tick, a line per failure, and an end that says whether all is well. */
import pc from 'picocolors'
import type { Charge } from './gateway.ts'
import { amountsOf, count, secondsOf, timeOf } from './phrases.ts'
import type { Summary } from './summary.ts'
import { completionOf, type TickRecord, type Try, wasTakenOver } from './tick.ts'

/** Standard output or standard error. */
export interface Terminal {
  readonly isTTY?: boolean
  /** Characters a line. */
  readonly columns?: number
  write(text: string): unknown
}

export interface Display {
  note(text: string): void
  tried(tried: Try): void
  /** `cut` where the run was interrupted before the tick was over. */
  ticked(record: TickRecord, charges: readonly Charge[], cut: boolean): void
  ended(summary: Summary, charges: readonly Charge[], faults: readonly string[], cut: boolean): void
  close(): void
}

/** Structured lines of the level INFO tell what went well. */
const isNews = (logLine: string) => !/"level": ?"INFO"/.test(logLine)

/** Retries that come sooner need no countdown. */
const COUNTDOWN_FROM_MS = 2_000
const SHOWN_LOG_LINES = 5

export function startDisplay(stream: Terminal, env: NodeJS.ProcessEnv = process.env): Display {
  const colour = pc.createColors(wantsColour(stream, env))
  const countdown = startCountdown(stream, colour.dim)
  const line = (text: string) => {
    countdown.clear()
    stream.write(`${text}\n`)
  }

  return {
    note: (text) => line(colour.dim(text)),

    tried: ({ candidate, attempt, outcome, ledWithToken }) => {
      if (outcome.status !== 'failed') return
      const { retryInMs } = attempt
      const { errorType, errorMessage, trace } = outcome.error
      const who = `candidate ${candidate}${ledWithToken === undefined ? '' : `, leading with token ${ledWithToken},`}`
      const next = retryInMs === undefined ? 'Lambda gives it up' : `Lambda tries again in ${secondsOf(retryInMs)}`
      line(`    ${colour.red('✗')} ${who} failed: ${errorType}: ${errorMessage}; ${colour.yellow(next)}`)
      const details = trace?.slice(1, 4) ?? outcome.logs.filter(isNews).slice(-SHOWN_LOG_LINES)
      for (const detail of details) line(colour.dim(`        ${detail.trim()}`))
      if (retryInMs !== undefined && retryInMs > COUNTDOWN_FROM_MS) countdown.until(candidate, retryInMs)
    },

    ticked: (record, charges, cut) => {
      const parts = [
        `${colour.dim(String(record.number).padStart(4))}  ${colour.bold(timeOf(record.tick))}`,
        cut ? colour.yellow('cut short') : leaderOf(record, colour),
        charges.length > 0 ? `${count(charges.length, 'charge')} (${amountsOf(charges)})` : 'nothing charged',
        standbyOf(record),
        colour.dim(secondsOf(record.durationMs)),
      ]
      line(parts.filter((part) => part !== '').join('  '))
    },

    ended: (summary, charges, faults, cut) => {
      const { ticks, completed, candidates, standby, failed, tookOver, replayedRequests, staleWritesRefused } = summary
      line('')
      line(`${completed} of ${count(ticks, 'tick')} completed, each by one of ${count(candidates, 'candidate')}`)
      line(`  ${standby} stood by, ${failed} failed, ${count(tookOver, 'leader')} replaced within the tick`)
      const amounts = charges.length > 0 ? ` (${amountsOf(charges)})` : ''
      const recorded = charges.length === summary.charges ? '' : ` at the gateway, ${summary.charges} in the ledger`
      line(`  ${count(charges.length, 'charge')}${amounts}${recorded}`)
      if (replayedRequests > 0) line(`  ${count(replayedRequests, 'repeated request')} that charged nothing more`)
      if (staleWritesRefused > 0) line(`  ${count(staleWritesRefused, 'write')} of replaced leaders refused`)
      if (faults.length > 0) line(colour.red(`✗ ${faults.join('; ')}`))
      else if (cut)
        line(colour.yellow('The last tick was cut short. Until then everything due was charged, nothing twice.'))
      else if (ticks === 0) line(colour.yellow('No tick was run.'))
      else if (summary.charges === 0) line(colour.green('✓ Nothing was due, nothing was charged.'))
      else line(colour.green('✓ Everything due was charged, nothing twice; gateway and ledger agree.'))
    },

    close: () => countdown.clear(),
  }
}

type Colours = ReturnType<typeof pc.createColors>

function leaderOf(record: TickRecord, colour: Colours): string {
  const completion = completionOf(record)
  if (completion?.outcome.status !== 'completed') return colour.red('nobody completed it')
  const { candidate, outcome } = completion
  const how = wasTakenOver(record) ? colour.yellow('took over') : 'led      '
  return `${colour.green(`candidate ${candidate}`)} ${how} with token ${outcome.fencingToken}`
}

/** Such as `3 stood by: 2 held, 1 completed`. */
function standbyOf({ tries }: TickRecord): string {
  const reasons = tries.flatMap(({ outcome }) => (outcome.status === 'standby' ? [outcome.reason] : []))
  if (reasons.length === 0) return ''
  const groups = Object.entries(Object.groupBy(reasons, (reason) => reason))
  return `${reasons.length} stood by: ${groups.map(([reason, those]) => `${those?.length} ${reason}`).join(', ')}`
}

/** Rewrites one line a second with the time until a retry, in a terminal only. */
function startCountdown(stream: Terminal, dim: (text: string) => string) {
  let timer: NodeJS.Timeout | undefined
  const clear = () => {
    if (timer === undefined) return
    clearInterval(timer)
    timer = undefined
    stream.write('\r\u001b[2K')
  }
  const until = (candidate: number, delayMs: number) => {
    if (stream.isTTY !== true) return
    const at = performance.now() + delayMs
    const show = () => {
      const leftMs = Math.max(0, at - performance.now())
      const text = `    … candidate ${candidate} is tried again in ${Math.ceil(leftMs / 1000)} s`
      // A line that wraps could not be rewritten.
      stream.write(`\r\u001b[2K${dim(text.slice(0, (stream.columns ?? 80) - 1))}`)
    }
    clear()
    timer = setInterval(show, 1_000)
    timer.unref()
    show()
  }
  return { clear, until }
}

/** https://no-color.org, https://force-color.org */
function wantsColour(stream: Terminal, env: NodeJS.ProcessEnv): boolean {
  if (env['NO_COLOR']) return false
  return Boolean(env['FORCE_COLOR']) || (stream.isTTY === true && env['TERM'] !== 'dumb')
}
