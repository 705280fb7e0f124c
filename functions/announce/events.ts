/** Facts as EventBridge events. docs/events/ has a schema of each detail. */
import type { EventBridgeClient, PutEventsRequestEntry, PutEventsResultEntry } from '@aws-sdk/client-eventbridge'
import { PutEventsCommand } from '@aws-sdk/client-eventbridge'
import type { Ended, Fact } from './facts.ts'

interface OfCandidate {
  readonly candidate: string
  readonly tick?: string
}

/** What each event says beyond what all of them say. Durations in milliseconds, `…AtMs` and `…UntilMs` in epoch ms. */
export interface EventDetails {
  readonly LeaderElected: OfCandidate & { readonly expiresAtMs: number }
  readonly LeaderReleased: OfCandidate & { readonly endedBy: Ended['endedBy']; readonly durationMs: number }
  readonly LeaderTakenOver: OfCandidate & {
    readonly previous: OfCandidate & { readonly fencingToken: number; readonly expiredAtMs: number }
  }
  readonly TickCompleted: Required<OfCandidate> & { readonly durationMs: number }
  readonly TickFailed: Required<OfCandidate> & {
    readonly errorName?: string
    readonly durationMs: number
  }
  readonly LeasePaused: { readonly pausedUntilMs: number; readonly pausedBy?: string; readonly pausedReason?: string }
  readonly LeaseResumed: object
  readonly LeaseForced: OfCandidate
}

export type EventName = keyof EventDetails

export interface LeaseEvent {
  readonly name: EventName
  /** Tells it from the tenure's other events. */
  readonly mark: string
  readonly detail: CommonDetail & EventDetails[EventName]
}

export interface CommonDetail {
  readonly version: 1
  /** The same whenever the event is sent again. */
  readonly id: string
  readonly lease: string
  readonly fencingToken: number
  readonly atMs: number
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
    case 'ended': {
      const { endedBy } = fact
      const released = event('LeaderReleased', fact, { ...candidateOf(fact), endedBy, durationMs: durationMs(fact) })
      return [released, ...tickEvents(fact)]
    }
    case 'forced':
      return [event('LeaseForced', fact, candidateOf(fact))]
    case 'paused': {
      const { pausedUntilMs, pausedBy, pausedReason } = fact
      const by = pausedBy === undefined ? {} : { pausedBy }
      const reason = pausedReason === undefined ? {} : { pausedReason }
      // A tenure may see any number of pauses.
      return [event('LeasePaused', fact, { pausedUntilMs, ...by, ...reason }, `LeasePaused/${fact.sequenceNumber}`)]
    }
    case 'resumed':
      return [event('LeaseResumed', fact, {}, `LeaseResumed/${fact.sequenceNumber}`)]
  }
}

function tickEvents(fact: Ended): readonly LeaseEvent[] {
  const { candidate, tick, endedBy, errorName } = fact
  if (tick === undefined || endedBy === 'released') return []
  const times = { candidate, tick, durationMs: durationMs(fact) }
  if (endedBy === 'completed') return [event('TickCompleted', fact, times)]
  return [event('TickFailed', fact, errorName === undefined ? times : { ...times, errorName })]
}

/** Of a tenure. How late it began is not known: a tick is the scheduled time floored to the period. */
export function durationMs({ beganAtMs, atMs }: Ended): number {
  return Math.max(0, atMs - beganAtMs)
}

function candidateOf({ candidate, tick }: OfCandidate): OfCandidate {
  return tick === undefined ? { candidate } : { candidate, tick }
}

function event<Name extends EventName>(
  name: Name,
  { lease, fencingToken, atMs }: Fact,
  more: EventDetails[Name],
  mark: string = name,
): LeaseEvent {
  const id = `${lease}/${fencingToken}/${mark}`
  return { name, mark, detail: { version: 1, id, lease, fencingToken, atMs, ...more } }
}

/** EventBridge did not take all events of a record. Sending them again is safe: their ids stay the same. */
export class EventsRefusedError extends Error {
  override readonly name = 'EventsRefusedError'

  constructor(refused: readonly PutEventsResultEntry[], sent: number) {
    const reasons = refused.map(({ ErrorCode, ErrorMessage }) => `${ErrorCode}: ${ErrorMessage}`)
    super(`EventBridge refused ${refused.length} of ${sent} events (${[...new Set(reasons)].join('; ').slice(0, 500)})`)
  }
}

/** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html */
const MOST_ENTRIES = 10

export type Publish = (events: readonly LeaseEvent[], tableArn: string | undefined) => Promise<void>

/** Sends events to a bus, given by name or ARN. @throws EventsRefusedError, and what the SDK throws */
export function publishTo(client: Pick<EventBridgeClient, 'send'>, eventBus: string): Publish {
  return async (events, tableArn) => {
    const entries = events.map((event) => entryOf(event, eventBus, tableArn))
    for (let first = 0; first < entries.length; first += MOST_ENTRIES) {
      const Entries = entries.slice(first, first + MOST_ENTRIES)
      // A request can succeed while some of its entries do not.
      const { FailedEntryCount = 0, Entries: results = [] } = await client.send(new PutEventsCommand({ Entries }))
      const refused = results.filter(({ ErrorCode }) => ErrorCode !== undefined)
      if (FailedEntryCount > 0 || refused.length > 0) throw new EventsRefusedError(refused, Entries.length)
    }
  }
}

/** EventBridge puts in its own time where there is none. A row edited by hand may hold a number that is no time. */
function timeOf(atMs: number): Pick<PutEventsRequestEntry, 'Time'> {
  return atMs <= LAST_INSTANT_MS ? { Time: new Date(atMs) } : {}
}

const LAST_INSTANT_MS = Date.parse('9999-12-31T23:59:59.999Z')

function entryOf({ name, detail }: LeaseEvent, eventBus: string, tableArn: string | undefined): PutEventsRequestEntry {
  return {
    EventBusName: eventBus,
    Source: 'tenure',
    DetailType: name,
    ...timeOf(detail.atMs),
    Detail: JSON.stringify(detail),
    ...(tableArn === undefined ? {} : { Resources: [tableArn] }),
  }
}
