// @ts-nocheck
import { withLease } from '../../../functions/election/index.ts'

export class Reports {
  readonly written: string[] = []

  async nightly() {
    const options = { lease: 'nightly-report', tick: Date.now(), schedule: 'rate(1 day)' }
    return await withLease(options, async (lease) => {
      for await (const tick of lease.ticks()) this.written.push(tick)
    })
  }
}
