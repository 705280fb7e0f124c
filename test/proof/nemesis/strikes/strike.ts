/** Carries out the faults that hit processes and clocks. Each gives back whether it could strike, and leaves nobody frozen. */
import { setTimeout as sleep } from 'node:timers/promises'
import { pick, type Random } from '../../../../infra/programs/random.ts'
import { type Addition, additionOf } from '../checks/accepted.ts'
import { type HistoryFile, machineMs, type Try } from '../history.ts'
import type { Note } from '../network/passage.ts'
import type { Fault, Network } from '../network/proxy.ts'
import type { Crew, Stopping } from '../workers/crew.ts'
import type { ProcessFault, Target } from './plan.ts'

export interface Battlefield {
  readonly crew: Crew
  readonly network: Network
  readonly file: HistoryFile
  readonly random: Random
  readonly leaseMs: number
  readonly maxClockSkewMs: number
  readonly isControl: boolean
}

/** How long to wait for a leader that comes along. */
const PATIENCE_MS = 4_000
const BEYOND_FOR_MS = 800
const NEXT_WRITE_WITHIN_MS = 200

export async function strike(fault: ProcessFault, field: Battlefield): Promise<boolean> {
  const who = await carryOut(fault, field)
  if (who !== undefined) field.file.write({ kind: 'fault', fault: fault.name, atMs: machineMs(), who })
  return who !== undefined
}

function carryOut(fault: ProcessFault, field: Battlefield): Promise<string | undefined> {
  switch (fault.name) {
    case 'write between read and write':
      return writeBetween(field)
    case 'write after successor':
      return writeAfter(field)
    case 'acquire copied after its tenure':
      return copyAcquire(field)
    case 'own write copied behind the next':
      return copyWrite(field)
    case 'killed':
      return killAt(fault.target, field)
    case 'frozen at a request':
      return freezeAt(fault.target, fault.leases, field)
    case 'frozen':
      return freeze(fault.leases, field)
    case 'clock stepped':
      return setClock(fault.offsetMs, field)
    case 'clock beyond the budget':
      return leaveBudget(fault.offsetMs, field)
  }
}

/** A leader stopped with its write in its hands, until `meanwhile` is over; its write is sent then. */
async function withSleeper(
  field: Battlefield,
  meanwhile: (sleeper: Stopping) => Promise<boolean>,
): Promise<string | undefined> {
  const { crew, network } = field
  // What is staged must not be undone by chance: a fault that waits for a write would mostly get this one.
  using _spared = network.spare((note) => additionOf(note) !== undefined)
  const sleeper = await crew.stopping(crew.present, PATIENCE_MS)
  if (sleeper === undefined) return undefined
  try {
    return (await meanwhile(sleeper)) ? sleeper.who : undefined
  } finally {
    crew.thaw(sleeper.who)
  }
}

/** Where nothing protects the row, both writes must have been accepted: then the first of them is lost for certain. */
function writeBetween(field: Battlefield): Promise<string | undefined> {
  const { crew, leaseMs, isControl } = field
  const counts = ({ outcome }: Try) => !isControl || outcome === 'ok'
  return withSleeper(field, async (sleeper) => {
    const others = crew.present.filter((other) => other !== sleeper.who)
    const successor = await crew.stopping(others, leaseMs + PATIENCE_MS)
    if (successor === undefined) return false
    try {
      if (successor.fencingToken <= sleeper.fencingToken) return false // it slept before, and was not replaced since
      const landed = await writeOf(sleeper, field)
      if (landed === undefined || !counts(landed)) return false
      const fresh = await writeOf(successor, field)
      return fresh !== undefined && counts(fresh)
    } finally {
      crew.thaw(successor.who)
    }
  })
}

function writeAfter(field: Battlefield): Promise<string | undefined> {
  const { network, leaseMs } = field
  return withSleeper(field, async (sleeper) => {
    const isSuccessors = (tried: Try) =>
      (additionOf(tried)?.fencingToken ?? 0) > sleeper.fencingToken && tried.outcome === 'ok'
    const succeeded = await network.next(isSuccessors, leaseMs + PATIENCE_MS)
    return succeeded !== undefined && (await writeOf(sleeper, field)) !== undefined
  })
}

/** Wakes it, and waits until the very write that it had in its hands is answered. */
async function writeOf({ who, fencingToken }: Stopping, { crew, network }: Battlefield): Promise<Try | undefined> {
  const written = network.next(
    (tried) => tried.who === who && additionOf(tried)?.fencingToken === fencingToken && isAnswered(tried),
    PATIENCE_MS,
  )
  crew.thaw(who)
  return await written
}

function isAnswered({ outcome }: Try): boolean {
  return outcome === 'ok' || outcome === 'refused'
}

/**
 * Waits for an acquire that is granted, most are refused, and that begins a tenure shorter than the budget: behind a longer
 * one its age alone (A6) would keep the copy out, and whether the attempt does (A5) would not be seen.
 */
function copyAcquire(field: Battlefield): Promise<string | undefined> {
  return untilDone(() => copyNextAcquire(field))
}

/** Most leaders write once, so it takes a few of them. */
function copyWrite(field: Battlefield): Promise<string | undefined> {
  return untilDone(() => copyNextWrite(field))
}

async function untilDone(act: () => Promise<string | undefined>): Promise<string | undefined> {
  const giveUpAt = performance.now() + PATIENCE_MS
  let done: string | undefined
  while (done === undefined && performance.now() < giveUpAt) done = await act()
  return done
}

async function copyNextWrite({ network }: Battlefield): Promise<string | undefined> {
  const { promise: copied, resolve } = Promise.withResolvers<string | undefined>()
  const fault: Fault = async (passage) => {
    const reply = await passage.forward()
    const first = additionOf(passage.note)
    const followed = network.next((tried) => isNextOf(tried, first), NEXT_WRITE_WITHIN_MS)
    passage.deliver(reply)
    passage.copyAt(followed)
    void followed.then((next) => resolve(next === undefined ? undefined : passage.note.who))
  }
  const rule = { matches: (note: Note) => additionOf(note) !== undefined, tries: 1, fault }
  return (await network.meet(rule, PATIENCE_MS)) === undefined ? undefined : await copied
}

function isNextOf(tried: Try, first: Addition | undefined): boolean {
  const next = additionOf(tried)
  if (next === undefined || tried.outcome !== 'ok') return false
  return next.op !== first?.op && next.fencingToken === first?.fencingToken
}

async function copyNextAcquire({ network, maxClockSkewMs }: Battlefield): Promise<string | undefined> {
  const { promise: copied, resolve } = Promise.withResolvers<string | undefined>()
  const fault: Fault = async (passage) => {
    const sentAtMs = machineMs()
    const reply = await passage.forward()
    passage.deliver(reply)
    const { label, who } = passage.note
    if (reply.answer?.outcome !== 'ok' || label.as !== 'acquire') return resolve(undefined)
    const ended = network.next((tried) => isEndOf(tried, label.request.attempt), PATIENCE_MS)
    const isInTime = () => machineMs() - sentAtMs < maxClockSkewMs
    passage.copyAt(ended)
    void ended.then((end) => resolve(end !== undefined && isInTime() ? who : undefined))
  }
  const met = await network.meet({ matches: (note) => isOf(note, 'acquire'), tries: 1, fault }, PATIENCE_MS)
  return met === undefined ? undefined : await Promise.race([copied, sleep(PATIENCE_MS, undefined)])
}

function isEndOf({ label, outcome }: Try, attempt: string): boolean {
  if (label.as !== 'write' || label.request.attempt !== attempt || outcome !== 'ok') return false
  return label.request.kind === 'complete' || label.request.kind === 'release'
}

/** DynamoDB does what was asked; whoever asked dies before the answer. */
async function killAt(target: Target, { crew, network }: Battlefield): Promise<string | undefined> {
  const { promise: killed, resolve } = Promise.withResolvers<void>()
  const met = await network.meet(
    {
      matches: (note) => isOf(note, target),
      tries: 1,
      fault: async (passage) => {
        await passage.forward()
        await crew.replace(passage.note.who)
        passage.hangUp()
        resolve()
      },
    },
    PATIENCE_MS,
  )
  if (met !== undefined) await killed
  return met?.who
}

/** DynamoDB does what was asked; whoever asked sleeps before it can read the answer. */
async function freezeAt(target: Target, leases: number, field: Battlefield): Promise<string | undefined> {
  const { crew, network, leaseMs } = field
  const met = await network.meet(
    {
      matches: (note) => isOf(note, target),
      tries: 1,
      fault: async (passage) => {
        const reply = await passage.forward()
        crew.freeze(passage.note.who)
        passage.deliver(reply)
      },
    },
    PATIENCE_MS,
  )
  if (met === undefined) return undefined
  await sleep(leaseMs * leases)
  crew.thaw(met.who)
  return met.who
}

function isOf({ label }: Note, target: Target): boolean {
  return label.as === target
}

async function freeze(leases: number, { crew, random, leaseMs }: Battlefield): Promise<string> {
  const who = pick(random, crew.present)
  crew.freeze(who)
  await sleep(leaseMs * leases)
  crew.thaw(who)
  return who
}

async function setClock(offsetMs: number, { crew, random }: Battlefield): Promise<string> {
  const who = pick(random, crew.withOwnClock)
  crew.tell(who, { kind: 'setClock', offsetMs })
  return who
}

/** For a short while: a candidate far ahead takes the lease from every leader, and nobody would get any work done. */
async function leaveBudget(offsetMs: number, field: Battlefield): Promise<string> {
  const who = await setClock(offsetMs, field)
  await sleep(BEYOND_FOR_MS)
  field.crew.tell(who, { kind: 'setClock', offsetMs: 0 })
  return who
}
