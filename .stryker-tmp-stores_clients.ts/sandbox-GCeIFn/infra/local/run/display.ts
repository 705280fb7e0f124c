/** What a run looks like in a terminal: a line per tick, a line per failure, and a summary at the end. */
// @ts-nocheck

import pc from 'picocolors'
import type { DynamoDBLocal } from '../../programs/dynamodb-local.ts'
import { count, grouped, oneLine, secondsOf, timeOf, wrapped } from '../../programs/text.ts'
import type { Effect, FaultEntry, TenureEntry, VerdictLine } from '../observe/entries.ts'
import { thrownIn, withoutMetrics } from '../observe/outcome.ts'
import { completionsOf, type TickRecord, type Try, wasTakenOver } from './tick.ts'
import { type Conclusion, type RunEnd, verdictLines } from './verdict.ts'

/** Structured log lines of the level INFO report success. */
const isNews = (logLine: string) => !/"level": ?"INFO"/.test(logLine)

const MAX_LOG_LINES = 5
/** The page shows the rest of a message or log line. */
const MAX_LETTERS = 1_000
/** The library's frames come first, the function's own after them. */
const MAX_FRAMES = 6

export interface Terminal {
  readonly isTTY?: boolean
  /** Absent if it is not a terminal. */
  readonly columns?: number
  write(text: string): unknown
}

export class Display {
  readonly #stream: Terminal
  readonly #colour: ReturnType<typeof pc.createColors>

  constructor(stream: Terminal, env: NodeJS.ProcessEnv = process.env) {
    this.#stream = stream
    this.#colour = pc.createColors(wantsColour(stream, env))
  }

  #line(text: string): void {
    this.#foreignLine(wrapped(text, this.#stream.columns))
  }

  /** Not wrapped, since the user may copy it. */
  #foreignLine(text: string): void {
    this.#stream.write(`${text}\n`)
  }

  note(text: string): void {
    this.#line(this.#colour.dim(oneLine(text)))
  }

  warn(text: string): void {
    this.#line(this.#colour.yellow(oneLine(text)))
  }

  page(url: string): void {
    this.#line(`Watch the election, and break it: ${this.#colour.bold(url)}`)
  }

  deployed({ endpoint, isForeign = false }: DynamoDBLocal): void {
    if (isForeign) this.note(`DynamoDB Local at ${endpoint} is not this run's own: others may read the run's tables.`)
  }

  /** A server that stays begins to lead. */
  led({ candidate, token }: Pick<TenureEntry, 'candidate' | 'token'>, when: string): void {
    this.#line(`  ${this.#colour.green(`candidate ${candidate}`)} leads with token ${token} ${when}`.trimEnd())
  }

  fault({ candidate, description }: Pick<FaultEntry, 'candidate' | 'description'>): void {
    const who = candidate === undefined ? '' : `candidate ${candidate}: `
    this.#line(`    ${this.#colour.yellow('⚡')} ${who}${oneLine(description)}`)
  }

  /** A replaced leader's write was accepted, because no fence guarded it. */
  unguarded({ candidate, what }: Effect): void {
    const { yellow } = this.#colour
    this.#line(yellow(`    ! candidate ${candidate}, replaced: ${what} accepted, no fence`))
  }

  tried({ candidate, attempt: { retryInMs, ending }, outcome }: Try, withLogs = false): void {
    const logs = withoutMetrics(ending.logs ?? [])
    if (withLogs) for (const line of logs) this.#logged(candidate, line)
    if (outcome.status === 'continued') {
      const { cyan } = this.#colour
      const goesOn = 'continued in a new invocation'
      this.#line(`    ${cyan('→')} candidate ${candidate}, leading with token ${outcome.fencingToken}: ${goesOn}`)
    }
    const error = thrownIn(outcome)
    if (error === undefined || ('isTold' in outcome && outcome.isTold)) return
    const { dim, red, yellow } = this.#colour
    const token = 'fencingToken' in outcome ? outcome.fencingToken : undefined
    const who = `candidate ${candidate}${token === undefined ? '' : `, leading with token ${token},`}`
    const what = outcome.status === 'completed' ? 'failed after completing its tick' : 'failed'
    const next = retryInMs === undefined ? 'Lambda gives up' : `Lambda retries in ${secondsOf(retryInMs)}`
    const why = oneLine(`${error.errorType}: ${error.errorMessage}`, MAX_LETTERS)
    this.#line(`    ${red('✗')} ${who} ${what}: ${why}; ${yellow(next)}`)
    const logged = withLogs ? [] : logs.filter(isNews).slice(-MAX_LOG_LINES)
    const details = error.trace?.slice(1, 1 + MAX_FRAMES) ?? logged
    for (const detail of details) this.#foreignLine(dim(`        ${oneLine(detail.trim(), MAX_LETTERS)}`))
  }

  #logged(candidate: number, line: string): void {
    const { cyan } = this.#colour
    if (line.trim() !== '') this.#foreignLine(`    ${cyan(`${candidate} |`)} ${oneLine(line.trimEnd(), MAX_LETTERS)}`)
  }

  ticked(record: TickRecord, effects: string, wasCut: boolean): void {
    const { dim, bold, yellow } = this.#colour
    const parts = [
      `${dim(String(record.number).padStart(4))}  ${bold(timeOf(record.tick))}`,
      wasCut ? yellow('cut short') : this.#leaderOf(record),
      effects,
      standbysOf(record),
      dim(secondsOf(record.durationMs)),
    ]
    this.#line(parts.filter((part) => part !== '').join('  '))
  }

  #leaderOf(record: TickRecord): string {
    const { green, red, yellow } = this.#colour
    const completions = completionsOf(record)
    const completedBy = completions.map(({ candidate }) => candidate).join(', ')
    if (completions.length > 1) return red(`candidates ${completedBy} each completed it`)
    const [completion] = completions
    if (completion?.outcome.status !== 'completed') return red('not completed')
    const { candidate, outcome } = completion
    const how = wasTakenOver(record) ? yellow('took over') : 'led      '
    return `${green(`candidate ${candidate}`)} ${how} with token ${outcome.fencingToken}`
  }

  ended(conclusion: Conclusion, { wasCut }: Pick<RunEnd, 'wasCut'>): void {
    const { yellow } = this.#colour
    const { ticks, completed, candidates, standby, failed, tookOver, ...summary } = conclusion.summary
    const byOne = summary.completedTwice === 0 && candidates > 1 && completed > 0
    const byWhom = `${byOne ? `${completed > 1 ? 'each ' : ''}by one of` : 'by'} ${count(candidates, 'candidate')}`
    const takeovers = `${count(tookOver, 'leader')} replaced within the tick`
    const refused = [
      ['fence', summary.staleWritesRefused, 'write'],
      ['lease', summary.completionsRefused, 'completion'],
    ] as const
    const lines = [
      `${completed} of ${count(ticks, 'tick')} completed, ${byWhom}`,
      `  ${count(standby, 'standby')}, ${count(failed, 'failed invocation')}, ${takeovers}`,
      ...conclusion.lines.map((line) => `  ${line}`),
      ...refused.flatMap(([by, times, what]) =>
        times > 0 ? [`  the ${by} refused ${count(times, what)} of replaced leaders`] : [],
      ),
      ...Object.entries(summary.unguardedWrites).map(([table, writes]) =>
        yellow(`  table ${table}: ${count(writes, 'write')} of replaced leaders accepted, no fence`),
      ),
      ...conclusion.verdict.harm.map((harm) => yellow(`  ${harm}`)),
    ]
    this.concluded(lines, verdictLines(conclusion, wasCut))
  }

  concluded(lines: readonly string[], verdict: readonly VerdictLine[]): void {
    const { green, red, yellow } = this.#colour
    const colours = { right: green, wrong: red, open: yellow }
    for (const line of ['', ...lines]) this.#line(line)
    for (const { kind, text } of verdict) this.#line(colours[kind](text))
  }
}

const REASONS: Readonly<Record<string, string>> = { held: 'lease held', tickDone: 'tick done' }

function standbysOf({ tries }: TickRecord): string {
  const reasons = tries.flatMap(({ outcome }) =>
    outcome.status === 'standby' ? [REASONS[outcome.reason] ?? outcome.reason] : [],
  )
  if (reasons.length === 0) return ''
  return `${count(reasons.length, 'standby')} (${new Set(reasons).size === 1 ? reasons[0] : grouped(reasons)})`
}

/** https://no-color.org, https://force-color.org */
function wantsColour(stream: Terminal, env: NodeJS.ProcessEnv): boolean {
  if (env['NO_COLOR']) return false
  return Boolean(env['FORCE_COLOR']) || (stream.isTTY === true && env['TERM'] !== 'dumb')
}
