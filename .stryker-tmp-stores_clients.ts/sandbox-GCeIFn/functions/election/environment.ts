// @ts-nocheck
import { show } from './show.ts'

export type Variables = Readonly<Record<string, string | undefined>>

/** Environment variables are missing or wrong; the message names every one of them. */
export class EnvironmentError extends Error {
  override readonly name = 'EnvironmentError'
}

/**
 * Reads environment variables when a function loads, so that a wrong deployment fails at once and not at the first
 * tick. Problems are reported in one error. Spaces around a value are ignored; an empty variable counts as missing.
 */
export class EnvironmentReader {
  readonly #program: string
  readonly #variables: Variables
  readonly #problems: string[] = []

  /** @param program the program's name in messages, such as `the announcer` */
  constructor(program: string, variables: Variables) {
    this.#program = program
    this.#variables = variables
  }

  get problems(): readonly string[] {
    return this.#problems
  }

  optional(name: string): string | undefined {
    return this.#variables[name]?.trim() || undefined
  }

  required(name: string): string {
    const value = this.optional(name)
    if (value === undefined) this.problem(`${name} is not set`)
    return value ?? ''
  }

  /** @param expected the end of the message "… is "x", not …", such as `a positive number of milliseconds` */
  wholeNumber(name: string, from: number, to: number, expected: string): number | undefined {
    const text = this.optional(name)
    if (text === undefined) return undefined
    const value = Number(text)
    if (!Number.isSafeInteger(value) || value < from || value > to) {
      this.problem(`${name} is ${show(text)}, not ${expected}`)
    }
    return value
  }

  problem(text: string): void {
    this.#problems.push(text)
  }

  /** @throws EnvironmentError if there was a problem */
  check(): void {
    if (this.#problems.length === 0) return
    throw new EnvironmentError(`The environment of ${this.#program} is wrong: ${this.#problems.join('; ')}`)
  }
}
