import { hashOf, Random } from './random.ts'

/** What may go wrong, and how often at the usual intensity: out of a thousand chances for it to happen. */
export const REQUEST_FAULTS = {
  'request lost': 10,
  'reply lost': 14,
  'request copied': 20,
  'request late': 9,
  'answer slow': 10,
  throttled: 7,
  'server error': 8,
  'row in a transaction': 6,
  'process dies': 7,
  'process freezes': 10,
} as const

export const OTHER_FAULTS = {
  'process dies at work': 12,
  'process freezes at work': 16,
  'cut off': 16,
  'clock set': 6,
  'clock wrong': 6,
  'clock drifts': 6,
  'event doubled': 30,
  'event late': 15,
  'task fails': 40,
  'task hangs': 20,
  'cut off while giving up': 200,
  'frozen while writing': 30,
  'gateway fails': 60,
} as const

export type RequestFault = keyof typeof REQUEST_FAULTS
export type FaultKind = RequestFault | keyof typeof OTHER_FAULTS

export interface Fault {
  /** The same in every history of this seed, whatever other faults are left out. */
  readonly id: number
  readonly kind: FaultKind
  readonly place: string
  readonly atMs: number
}

/** A fault that was decided on, with chance of its own for how bad it is. */
export interface Injected extends Fault {
  readonly random: Random
}

const NAMES_OF_REQUEST_FAULTS = Object.keys(REQUEST_FAULTS).filter(isRequestFault)
/** More than this, and hardly anything comes about at all. */
const MOST_REQUESTS_PER_MILLE = 400
const IDS = 1_000_000

/**
 * Decides where a fault is injected. Each decision depends on the seed and on the name of its place alone, and a fault's
 * number too: a history can be run again with some of its faults only, and those are still the same.
 */
export class Faults {
  readonly injected: Fault[] = []
  readonly #seed: number
  /** How often each kind strikes, out of a thousand chances. */
  readonly #perMille: ReadonlyMap<FaultKind, number>
  readonly #only: ReadonlySet<number> | undefined
  #over = false
  readonly #tell: (fault: Fault) => void

  constructor(seed: number, intensity: number, only: ReadonlySet<number> | undefined, tell: (fault: Fault) => void) {
    this.#seed = seed
    this.#perMille = perMilleOf(seed, intensity)
    this.#only = only
    this.#tell = tell
  }

  get over(): boolean {
    return this.#over
  }

  /** From now on nothing new goes wrong. */
  end(): void {
    this.#over = true
  }

  draw(kind: keyof typeof OTHER_FAULTS, place: string, atMs: number): Injected | undefined {
    if (this.#over) return undefined
    const random = new Random(this.#seed, `${kind} at ${place}`)
    if (!random.chance(this.#perMille.get(kind) ?? 0)) return undefined
    return this.#inject(kind, place, atMs, random)
  }

  /** At most one per request. */
  drawForRequest(place: string, atMs: number): Injected | undefined {
    if (this.#over) return undefined
    const random = new Random(this.#seed, `request ${place}`)
    let left = random.fraction() * 1000
    for (const kind of NAMES_OF_REQUEST_FAULTS) {
      left -= this.#perMille.get(kind) ?? 0
      if (left < 0) return this.#inject(kind, place, atMs, random)
    }
    return undefined
  }

  #inject(kind: FaultKind, place: string, atMs: number, random: Random): Injected | undefined {
    const id = hashOf(`${this.#seed} ${kind} at ${place}`) % IDS
    if (this.#only !== undefined && !this.#only.has(id)) return undefined
    const fault = { id, kind, place, atMs }
    this.injected.push(fault)
    this.#tell(fault)
    return { ...fault, random }
  }
}

/**
 * No history has all kinds of faults at their usual rates: some are left out and some are frequent, for faults also hide
 * each other (Groce and others, "Swarm testing", 2012).
 */
function perMilleOf(seed: number, intensity: number): ReadonlyMap<FaultKind, number> {
  const usual: readonly (readonly [string, number])[] = [
    ...Object.entries(REQUEST_FAULTS),
    ...Object.entries(OTHER_FAULTS),
  ]
  const rates = new Map<FaultKind, number>()
  for (const [kind, perMille] of usual) {
    const times = new Random(seed, `how often ${kind}`).pick(0, 1, 1, 1, 1, 6)
    if (isFault(kind)) rates.set(kind, perMille * intensity * times)
  }
  const ofRequests = NAMES_OF_REQUEST_FAULTS.reduce((sum, kind) => sum + (rates.get(kind) ?? 0), 0)
  if (ofRequests <= MOST_REQUESTS_PER_MILLE) return rates
  for (const kind of NAMES_OF_REQUEST_FAULTS) {
    rates.set(kind, ((rates.get(kind) ?? 0) * MOST_REQUESTS_PER_MILLE) / ofRequests)
  }
  return rates
}

function isFault(name: string): name is FaultKind {
  return isRequestFault(name) || Object.hasOwn(OTHER_FAULTS, name)
}

function isRequestFault(name: string): name is RequestFault {
  return Object.hasOwn(REQUEST_FAULTS, name)
}
