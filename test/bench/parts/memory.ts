import type { Bench } from '../bench.ts'
import type { Subject } from '../bundles.ts'
import { inTurns, ratioOf, show } from '../measure.ts'
import { createTables, Runner, Server } from '../processes.ts'
import type { Result } from '../report.ts'

const HOLDING: readonly Subject[] = ['bare SDK', 'withLease', 'Powertools idempotency']

/** The peak of a process that holds many leases at once. */
export async function memory(bench: Bench): Promise<Result> {
  const [rounds, most] = bench.isQuick ? [2, 500] : [7, 5_000]
  using server = new Server('double')
  await createTables(await server.endpoint)
  const sizes = [1, most]
  const peaks = await inTurns(
    HOLDING.flatMap((subject) => sizes.map((size) => `${subject}/${size}`)),
    rounds,
    async (name, round) => {
      bench.checkInterrupt()
      const subject = HOLDING.find((known) => name.startsWith(`${known}/`)) ?? 'bare SDK'
      using runner = new Runner(bench.bundle(subject).file, await server.variables('memory'))
      const leases = Array.from({ length: Number(name.slice(subject.length + 1)) }, (_, n) => `memory/${round}/${n}`)
      return (await runner.hold(leases.map((lease) => `${lease}/${HOLDING.indexOf(subject)}/${leases.length}`))).rssMB
    },
  )
  const ratio = (subject: Subject, size: number) =>
    ratioOf(peaks(`${subject}/${size}`), peaks(`${HOLDING[0] ?? ''}/${size}`))
  return {
    title: 'Memory',
    tables: [
      {
        about: `Peak memory of a process that leads so many leases at once, as a ratio to the bare SDK, which renews none. ${rounds} rounds.`,
        columns: ['handler', ...sizes.map((size) => `${size.toLocaleString('en')} ${size === 1 ? 'lease' : 'leases'}`)],
        rows: HOLDING.map((subject) => [subject, ...sizes.map((size) => show(ratio(subject, size)))]),
      },
    ],
  }
}
