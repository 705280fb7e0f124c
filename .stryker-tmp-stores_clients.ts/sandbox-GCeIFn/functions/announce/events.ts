/** Turns facts into EventBridge events. docs/events/events.schema.json describes each detail. */
// @ts-nocheck

import type { EventBridgeClient, PutEventsRequestEntry, PutEventsResultEntry } from '@aws-sdk/client-eventbridge'
import { PutEventsCommand } from '@aws-sdk/client-eventbridge'
import type { Fact, FactOf } from './facts.ts'

/** Durations in milliseconds, `…AtMs` and `…UntilMs` in epoch ms. */
export interface LeaseEvent {
  readonly name: string
  /** Unique within the tenure. */
  readonly localId: string
  readonly detail: {
    readonly version: 1
    /** The same whenever the event is sent again. */
    readonly id: string
    readonly lease: string
    readonly fencingToken: number
    readonly atMs: number
    readonly [more: string]: unknown
  }
}

export function eventsOf(fact: Fact): readonly LeaseEvent[] {
  switch (fact.kind) {
    case 'elected':
      return [event('LeaderElected', fact, { ...candidateOf(fact), expiresAtMs: fact.expiresAtMs })]
    case 'takenOver': {
      const { fencingToken, expiredAtMs } = fact.previous
      const previous = { ...candidateOf(fact.previous), fencingToken, expiredAtMs }
      return [event('LeaderTakenOver', fact, { ...candidateOf(fact), previous })]
    }
    case 'closed': {
      const { candidate, closedTick: tick, gaveUp } = fact
      const detail = { candidate, tick, durationMs: durationMs(fact) }
      // With the tick, since a tenure can close any number of them.
      return [tickEvent(fact, detail, gaveUp, `/${tick}`)]
    }
    case 'ended':
      return endEvents(fact)
    case 'forced':
      return [event('LeaseForced', fact, candidateOf(fact))]
    case 'paused': {
      const { sequenceNumber, pausedUntilMs, pausedBy, pausedReason } = fact
      // With the sequence number, since a tenure can have any number of pauses.
      return [event('LeasePaused', fact, { pausedUntilMs, pausedBy, pausedReason }, `LeasePaused/${sequenceNumber}`)]
    }
    case 'resumed':
      return [event('LeaseResumed', fact, {}, `LeaseResumed/${fact.sequenceNumber}`)]
  }
}

function endEvents(fact: FactOf<'ended'>): readonly LeaseEvent[] {
  const { tick, endedBy, errorName, gaveUp, handedOverTo } = fact
  const detail = { ...candidateOf(fact), durationMs: durationMs(fact) }
  const released = event('LeaderReleased', fact, { ...detail, endedBy, handedOverTo })
  if (tick === undefined || endedBy === 'released' || endedBy === 'continued') return [released]
  if (endedBy === 'completed') return [released, tickEvent(fact, detail, gaveUp)]
  return [released, event('TickFailed', fact, { ...detail, errorName })]
}

function tickEvent(fact: Fact, detail: object, gaveUp: string | undefined, suffix = '') {
  return gaveUp === undefined
    ? event('TickCompleted', fact, detail, `TickCompleted${suffix}`)
    : event('TickFailed', fact, { ...detail, gaveUp }, `TickFailed${suffix}`)
}

/** How long the tenure lasted. How late it began is not known, since its tick is floored to the period. */
export function durationMs({ beganAtMs, atMs }: Pick<Fact, 'beganAtMs' | 'atMs'>): number {
  return Math.max(0, atMs - beganAtMs)
}

const candidateOf = ({ candidate, tick }: { readonly candidate: string; readonly tick?: string | undefined }) => {
  return { candidate, tick }
}

function event(name: string, { lease, fencingToken, atMs }: Fact, more: object, localId = name): LeaseEvent {
  const id = `${lease}/${fencingToken}/${localId}`
  return { name, localId, detail: { version: 1, id, lease, fencingToken, atMs, ...more } }
}

/** Sending all of them again is safe: their ids stay the same. */
function refusalOf(refused: readonly PutEventsResultEntry[], sent: number): Error {
  const reasons = refused.map(({ ErrorCode, ErrorMessage }) => `${ErrorCode}: ${ErrorMessage}`)
  const shown = [...new Set(reasons)].join('; ').slice(0, 500)
  return new Error(`EventBridge refused ${refused.length} of ${sent} events (${shown})`)
}

/** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html */
const MOST_ENTRIES = 10

export type Publish = (events: readonly LeaseEvent[], tableArn: string | undefined) => Promise<void>

/**
 * @param eventBus its name or ARN
 * @throws Error if EventBridge refuses some of the events, and what the SDK throws
 */
export function publishTo(client: Pick<EventBridgeClient, 'send'>, eventBus: string): Publish {
  return async (events, tableArn) => {
    const entries = events.map((event) => entryOf(event, eventBus, tableArn))
    for (let first = 0; first < entries.length; first += MOST_ENTRIES) {
      const Entries = entries.slice(first, first + MOST_ENTRIES)
      // A request can succeed although some of its entries fail.
      const { FailedEntryCount = 0, Entries: results = [] } = await client.send(new PutEventsCommand({ Entries }))
      const refused = results.filter(({ ErrorCode }) => ErrorCode !== undefined)
      if (FailedEntryCount > 0 || refused.length > 0) throw refusalOf(refused, Entries.length)
    }
  }
}

const LAST_INSTANT_MS = Date.parse('9999-12-31T23:59:59.999Z')

function entryOf({ name, detail }: LeaseEvent, eventBus: string, tableArn: string | undefined): PutEventsRequestEntry {
  return {
    EventBusName: eventBus,
    Source: 'tenure',
    DetailType: name,
    // A row edited by hand can hold a number that is no time; without a time EventBridge uses its own.
    Time: detail.atMs <= LAST_INSTANT_MS ? new Date(detail.atMs) : undefined,
    Detail: JSON.stringify(detail),
    Resources: tableArn === undefined ? undefined : [tableArn],
  }
}
