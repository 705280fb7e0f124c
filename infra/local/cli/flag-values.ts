/** What the values of the flags of `npm start` look like. Each reader throws commander's error, which names the flag too. */
import { InvalidArgumentError } from 'commander'
import { type CandidateFaultName, MAX_CANDIDATES, MAX_TICKS, type ScheduledFault } from '../faults/fault.ts'
import { PROTECTIONS, type Protection } from '../faults/protections.ts'

export interface OwnTable {
  readonly name: string
  /** The names of the partition key and, where there is one, of the sort key. Both are texts. */
  readonly keys: readonly string[]
}

/** The lease of 15 s must last a second at least; a scale above 1 would only make one wait longer than AWS does. */
const TIME_SCALE = { least: 0.07, most: 1 } as const
const LONGEST_DURATION_MS = 3_600_000
const MOST_CUSTOMERS = 100_000

export function fileOrNumber(text: string): string | number {
  return /^\d+$/.test(text) ? wholeNumber(1, MOST_CUSTOMERS)(text) : text
}

export function oneControlMore(text: string, known: readonly Protection[]): readonly Protection[] {
  const control = PROTECTIONS.find((one) => one === text)
  if (control === undefined) throw new InvalidArgumentError(`Allowed choices are ${PROTECTIONS.join(', ')}.`)
  return [...new Set([...known, control])]
}

const A_CANDIDATE = `a candidate from 1 to ${MAX_CANDIDATES}`

/** `tick:candidate` */
export function candidateAt(deed: CandidateFaultName): (text: string) => ScheduledFault {
  return (text) => {
    const position = positionOf(text)
    if (position !== undefined) return { ...position, do: deed }
    throw new InvalidArgumentError(`Give a tick and ${A_CANDIDATE}, such as 2:1.`)
  }
}

/** `tick:candidate:duration`, with a minus before the duration of a clock that is behind */
export function clockAt(text: string): ScheduledFault {
  const [, where = '', sign, duration = ''] = /^(.+):(-?)(.+)$/.exec(text) ?? []
  const position = positionOf(where)
  const ms = Math.round(msOf(duration))
  if (position !== undefined && !Number.isNaN(ms)) {
    return { ...position, do: 'skewClock', ms: sign === '-' && ms > 0 ? -ms : ms }
  }
  throw new InvalidArgumentError(`Give a tick, ${A_CANDIDATE}, and a duration up to 60m, such as 2:1:5s or 2:1:-5s.`)
}

function positionOf(text: string): { readonly tick: number; readonly candidate: number } | undefined {
  const [, tick = 0, candidate = 0] = /^(\d+):(\d+)$/.exec(text)?.map(Number) ?? []
  const isRight = tick >= 1 && tick <= MAX_TICKS && candidate >= 1 && candidate <= MAX_CANDIDATES
  return isRight ? { tick, candidate } : undefined
}

export function oneVariableMore(
  text: string,
  known: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const [, name, value] = /^([A-Za-z][A-Za-z0-9_]*)=([\s\S]*)$/.exec(text) ?? []
  if (name === undefined || value === undefined) {
    throw new InvalidArgumentError('Give a name and a value, such as API=x.')
  }
  return { ...known, [name]: value }
}

export function oneTableMore(text: string, known: readonly OwnTable[]): readonly OwnTable[] {
  const [name = '', ...keys] = text.split(':')
  const areKeys = (keys.length === 1 || keys.length === 2) && !keys.includes('') && keys[0] !== keys[1]
  if (!/^[\w.-]{3,255}$/.test(name) || !areKeys) {
    throw new InvalidArgumentError(
      'Give a name of 3 letters at least and a key, such as Orders:id, or two: Orders:customer:order.',
    )
  }
  if (known.some((table) => table.name === name)) throw new InvalidArgumentError(`There is a table ${name} already.`)
  return [...known, { name, keys }]
}

export function durationMs(text: string): number {
  const ms = msOf(text)
  if (!Number.isNaN(ms)) return ms
  throw new InvalidArgumentError('Give a number with ms, s or m, such as 500ms, 2s or 1m, up to 60m.')
}

/** Of a function: Lambda takes whole seconds, 900 at most. */
export function timeoutMs(text: string): number {
  const ms = msOf(text)
  if (ms >= 1_000 && ms <= 900_000 && ms % 1_000 === 0) return ms
  throw new InvalidArgumentError('Give whole seconds or minutes, such as 30s or 5m, from 1s to 15m.')
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000 }

/** NaN for what is no duration, or too long a one. */
function msOf(text: string): number {
  const [, count, unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m)$/.exec(text) ?? []
  const ms = Number(count) * (UNIT_MS[unit] ?? Number.NaN)
  return ms <= LONGEST_DURATION_MS ? ms : Number.NaN
}

export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const number = /^\d+$/.test(text) ? Number(text) : Number.NaN
    if (number >= least && number <= most) return number
    throw new InvalidArgumentError(`Give a whole number from ${least} to ${most}.`)
  }
}

export function timeScale(text: string): number {
  const { least, most } = TIME_SCALE
  const factor = /^\d*\.?\d+$/.test(text) ? Number(text) : Number.NaN
  if (factor >= least && factor <= most) return factor
  throw new InvalidArgumentError(`Give a number from ${least} to ${most}; 1 lasts as long as on AWS.`)
}
