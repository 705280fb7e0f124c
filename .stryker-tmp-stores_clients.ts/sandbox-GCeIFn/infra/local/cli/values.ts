/** Reads the values of flags. A wrong one is refused with what may be given. */
// @ts-nocheck

import { InvalidArgumentError } from 'commander'
import { FaultError, readScenario, type ScheduledFault } from '../faults/fault.ts'
import type { OwnFunctionOptions } from '../own-function/own-function.ts'

/** The lease of 15 s must last at least a second. */
const MIN_TIME_SCALE = 0.07
const MAX_DURATION_MS = 3_600_000
const MAX_CUSTOMERS = 100_000

function refuse(message: string): never {
  throw new InvalidArgumentError(message)
}

export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const isGiven = /^\d+$/.test(text) && Number(text) >= min && Number(text) <= max
    return isGiven ? Number(text) : refuse(`Give a whole number from ${min} to ${max}.`)
  }
}

export function timeScale(text: string): number {
  const isGiven = /^\d*\.?\d+$/.test(text) && Number(text) >= MIN_TIME_SCALE && Number(text) <= 1
  return isGiven ? Number(text) : refuse(`Give a number from ${MIN_TIME_SCALE} to 1; 1 takes as long as on AWS.`)
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000 }

/** NaN if the text is not a duration, or is too long a one. */
function msOf(text: string): number {
  const [, count, unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m)$/.exec(text) ?? []
  const ms = Number(count) * (UNIT_MS[unit] ?? Number.NaN)
  return ms <= MAX_DURATION_MS ? ms : Number.NaN
}

export function durationMs(text: string): number {
  const ms = msOf(text)
  return Number.isNaN(ms) ? refuse('Give a number with ms, s or m, such as 500ms, 2s or 1m, up to 60m.') : ms
}

export function timeoutMs(text: string): number {
  const ms = msOf(text)
  if (ms >= 1_000 && ms <= 900_000 && ms % 1_000 === 0) return ms
  return refuse('Give whole seconds or minutes, such as 30s or 5m, from 1s to 15m.')
}

/** Reads `tick:candidate:duration`, or as much of it as the fault has. */
export function faultIn(name: ScheduledFault['do'], form: string): (text: string) => ScheduledFault {
  return (text) => {
    const [tick, candidate, duration, ...more] = text.split(':')
    const ms = Math.round(msOf(duration?.replace(/^-/, '') ?? '')) * (duration?.startsWith('-') ? -1 : 1)
    const ofCandidate = candidate === undefined ? {} : { candidate: Number(candidate) }
    const given = { do: name, tick: Number(tick), ...ofCandidate, ...(duration === undefined ? {} : { ms: ms || 0 }) }
    const isGiven = Number.isNaN(ms) === (duration === undefined) && more.length === 0
    try {
      const [fault] = isGiven ? readScenario([given]) : []
      if (fault !== undefined) return fault
    } catch (error) {
      if (!(error instanceof FaultError)) throw error
    }
    return refuse(`Give ${form}.`)
  }
}

export function fileOrNumber(text: string): string | number {
  return /^\d+$/.test(text) ? wholeNumber(1, MAX_CUSTOMERS)(text) : text
}

export function variables(text: string, known: OwnFunctionOptions['env']): OwnFunctionOptions['env'] {
  const [, name, value] = /^([A-Za-z][A-Za-z0-9_]*)=([\s\S]*)$/.exec(text) ?? []
  if (name === undefined || value === undefined) return refuse('Give a name and a value, such as API=x.')
  return { ...known, [name]: value }
}

export function tables(text: string, known: OwnFunctionOptions['table']): OwnFunctionOptions['table'] {
  const [name = '', ...keys] = text.split(':')
  const areKeys = (keys.length === 1 || keys.length === 2) && !keys.includes('') && keys[0] !== keys[1]
  if (!/^[\w.-]{3,255}$/.test(name) || !areKeys) {
    return refuse('Give a name of at least 3 letters and a key, such as Orders:id, or two: Orders:customer:order.')
  }
  if (known.some((table) => table.name === name)) return refuse(`The table ${name} is given twice.`)
  return [...known, { name, keys }]
}
