/** What the launcher `launch-ministack.py` answers beside AWS. */
import type { Credentials } from './clients.ts'
import type { Emulator } from './environment.ts'

const HOUR_MINUTES = 60

/**
 * Moves the schedules' clock and fires what falls due on the way.
 *
 * @returns the hourly tick that the clock has reached
 */
export async function advance({ url }: Emulator, minutes = HOUR_MINUTES): Promise<string> {
  const answer = await fetch(`${url}/_tenure/clock?minutes=${minutes}`, { method: 'POST' })
  const now = number(await answer.json(), 'now')
  const hourMs = HOUR_MINUTES * 60_000
  return new Date(Math.floor((now * 1000) / hourMs) * hourMs).toISOString()
}

/** A function's process that is at work on an event at this moment. */
export interface Invocation {
  readonly function: string
  readonly pid: number
}

export async function invocations({ url }: Emulator): Promise<readonly Invocation[]> {
  const answer: unknown = await (await fetch(`${url}/_tenure/invocations`)).json()
  if (!Array.isArray(answer)) throw new Error(`The launcher answered ${JSON.stringify(answer)}, not a list`)
  return answer.map((each: unknown) => ({ function: text(each, 'function'), pid: number(each, 'pid') }))
}

/** The credentials that a function's code has: what they may do is decided by its role. */
export async function credentialsOf({ url }: Emulator, functionName: string): Promise<Credentials> {
  const answer: unknown = await (await fetch(`${url}/_tenure/credentials?function=${functionName}`)).json()
  return {
    accessKeyId: text(answer, 'AWS_ACCESS_KEY_ID'),
    secretAccessKey: text(answer, 'AWS_SECRET_ACCESS_KEY'),
    sessionToken: text(answer, 'AWS_SESSION_TOKEN'),
  }
}

function number(answer: unknown, name: string): number {
  const value = Number(fieldOf(answer, name))
  if (Number.isFinite(value)) return value
  throw new Error(`The launcher answered ${JSON.stringify(answer)}, without the number ${name}`)
}

const text = (answer: unknown, name: string) => String(fieldOf(answer, name))

function fieldOf(answer: unknown, name: string): unknown {
  return typeof answer === 'object' && answer !== null ? new Map(Object.entries(answer)).get(name) : undefined
}
