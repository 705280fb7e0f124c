/** One fault: where it strikes, counted in calls of a kind within its tick and never in time, and what it does. */
import type { CallKind } from './calls.ts'

export type Fault = Position & Deed

export interface Position {
  /** From 1. */
  readonly tick: number
  readonly at: CallKind
  /** From 1. */
  readonly nth: number
}

export type Deed =
  /** SIGKILL for the leader that called, before the call reaches its target or before its reply reaches the leader. */
  | { readonly what: 'kill'; readonly when: 'before' | 'after' }
  /** SIGSTOP for it at such a moment, until its lease is over and another candidate has been woken once more. */
  | { readonly what: 'freeze'; readonly when: 'before' | 'after' }
  /** The call is carried out, and nobody is told. */
  | { readonly what: 'loseReply' }
  /** The call never arrives. */
  | { readonly what: 'drop' }
  /** DynamoDB has no capacity left for this call and those behind it, `times` in all. */
  | { readonly what: 'throttle'; readonly times: number }
  /** The gateway is unavailable: it answers 503, and charges nothing. */
  | { readonly what: 'refuse' }
  /** The gateway charges, and answers when the client has stopped waiting. */
  | { readonly what: 'delay' }

const NOUNS: Readonly<Record<CallKind, string>> = {
  lease: 'lease write',
  claim: 'claim',
  move: 'move to the next period',
  intent: 'intent',
  answer: 'write of an answer',
  unknown: 'write of an unknown outcome',
  charge: 'charge',
}

/** Whether the fault strikes at this call. */
export function strikesAt(fault: Fault, at: CallKind, nth: number): boolean {
  const times = fault.what === 'throttle' ? fault.times : 1
  return fault.at === at && nth >= fault.nth && nth < fault.nth + times
}

/** Such as `leader killed after the 3rd charge`. */
export function wordsFor(fault: Fault): string {
  const call = `the ${ordinal(fault.nth)} ${NOUNS[fault.at]}`
  switch (fault.what) {
    case 'kill':
      return `leader killed ${fault.when} ${call}`
    case 'freeze':
      return `leader frozen ${fault.when} ${call}, until its lease is over`
    case 'loseReply':
      return fault.at === 'charge' ? `gateway's reply to ${call} lost, after it charged` : `reply to ${call} lost`
    case 'drop':
      return `${call} dropped on its way`
    case 'throttle':
      return `${call}${fault.times > 1 ? ` and the next ${fault.times - 1}` : ''} throttled`
    case 'refuse':
      return `gateway answers 503 to ${call}`
    case 'delay':
      return `gateway's reply to ${call} late, after it charged`
  }
}

function ordinal(number: number): string {
  const isTeen = Math.floor(number / 10) % 10 === 1
  return `${number}${(isTeen ? undefined : ['th', 'st', 'nd', 'rd'][number % 10]) ?? 'th'}`
}
