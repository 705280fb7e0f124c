import type { WorkloadName } from './workloads.ts'

export interface Progress {
  readonly operations: number
  readonly faults: number
}

const TELL_EVERY_MS = 5_000

/** Says on standard error how far the runs are, every few seconds. */
export class Status {
  readonly #total: number
  readonly #now = new Map<WorkloadName, string>()
  #done = 0
  #toldAt = performance.now()

  constructor(total: number) {
    this.#total = total
  }

  show(name: WorkloadName, { operations, faults }: Progress, of: number): void {
    this.#now.set(name, `${name} ${operations} of ${of} operations, ${faults} faults`)
    if (performance.now() - this.#toldAt < TELL_EVERY_MS) return
    this.#toldAt = performance.now()
    process.stderr.write(`${this.#done} of ${this.#total} workloads done; ${[...this.#now.values()].join('; ')}\n`)
  }

  done(name: WorkloadName): void {
    this.#done++
    this.#now.delete(name)
  }
}
