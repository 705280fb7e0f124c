// @ts-nocheck
import { hashOf, Random } from './random.ts'
import type { Order } from './world.ts'

/** How often each fault happens at the usual intensity, out of a thousand chances. */
const REQUEST_FAULTS = {
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

const OTHER_FAULTS = {
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
  'invoke fails': 120,
  'operator pauses': 30,
} as const

export type OtherFault = keyof typeof OTHER_FAULTS
export type FaultKind = keyof typeof REQUEST_FAULTS | OtherFault

export interface Fault {
  /** The same in every history of the seed, whichever other faults are left out. */
  readonly id: number
  readonly kind: FaultKind
  readonly place: string
}

const FAULTS: Readonly<Record<FaultKind, number>> = { ...REQUEST_FAULTS, ...OTHER_FAULTS }
const isFault = (name: string): name is FaultKind => Object.hasOwn(FAULTS, name)
const FAULT_KINDS = Object.keys(FAULTS).filter(isFault)
const REQUEST_FAULT_KINDS = Object.keys(REQUEST_FAULTS).filter(isFault)
/** With more faults than this hardly anything succeeds. */
const MOST_REQUESTS_PER_MILLE = 400
const IDS = 1_000_000

/**
 * Decides where a fault happens. Each decision, and each fault's number, depends on the seed and on the name of the
 * place alone: a history can run again with some of its faults left out, and the others stay the same.
 */
export class Faults {
  readonly injected: Fault[] = []
  readonly #seed: number
  readonly #perMille: ReadonlyMap<FaultKind, number>
  readonly #only: ReadonlySet<number> | undefined
  readonly #log: (line: string) => void
  /** From then on there are no new faults. */
  isOver = false

  constructor({ seed, only }: Order, intensity: number, log: (line: string) => void) {
    this.#seed = seed
    this.#perMille = perMilleOf(seed, intensity)
    this.#only = only
    this.#log = log
  }

  /** @returns what decides how bad the fault is, if it happens */
  draw(kind: OtherFault, place: string): Random | undefined {
    if (this.isOver) return undefined
    const random = new Random(this.#seed, `${kind} at ${place}`)
    return random.chance(this.#perMille.get(kind) ?? 0) ? this.#inject(kind, place, random) : undefined
  }

  /** At most one per request. */
  drawForRequest(place: string): { readonly kind: FaultKind; readonly random: Random } | undefined {
    if (this.isOver) return undefined
    const random = new Random(this.#seed, `request ${place}`)
    let left = random.fraction() * 1000
    for (const kind of REQUEST_FAULT_KINDS) {
      left -= this.#perMille.get(kind) ?? 0
      if (left < 0) return this.#inject(kind, place, random) && { kind, random }
    }
    return undefined
  }

  #inject(kind: FaultKind, place: string, random: Random): Random | undefined {
    const id = hashOf(`${this.#seed} ${kind} at ${place}`) % IDS
    if (this.#only !== undefined && !this.#only.has(id)) return undefined
    this.injected.push({ id, kind, place })
    this.#log(`fault ${id}: ${kind} (${place})`)
    return random
  }
}

/**
 * No history has all kinds of faults at their usual rates: some are left out and some are frequent, because faults also
 * hide each other (Groce and others, "Swarm testing", 2012).
 */
function perMilleOf(seed: number, intensity: number): ReadonlyMap<FaultKind, number> {
  const rates = new Map<FaultKind, number>()
  for (const kind of FAULT_KINDS) {
    const times = new Random(seed, `how often ${kind}`).pick(0, 1, 1, 1, 1, 6)
    rates.set(kind, FAULTS[kind] * intensity * times)
  }
  const ofRequests = REQUEST_FAULT_KINDS.reduce((sum, kind) => sum + (rates.get(kind) ?? 0), 0)
  if (ofRequests <= MOST_REQUESTS_PER_MILLE) return rates
  for (const kind of REQUEST_FAULT_KINDS) {
    rates.set(kind, ((rates.get(kind) ?? 0) * MOST_REQUESTS_PER_MILLE) / ofRequests)
  }
  return rates
}
