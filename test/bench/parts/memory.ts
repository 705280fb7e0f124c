import type { Bench } from '../bench.ts'
import type { Subject } from '../bundles.ts'
import { costRatio, inTurns, show } from '../measure.ts'
import { Runner, Server } from '../processes.ts'
import type { Result } from '../report.ts'

const BARE = 'bare SDK'
const HOLDING: readonly Subject[] = [BARE, 'withLease', 'Powertools idempotency']

/** The peak of a process that holds many leases at once. */
export async function memory(bench: Bench): Promise<Result> {
  const [rounds, most] = bench.isQuick ? [1, 300] : [5, 3_000]
  using server = await Server.start('double')
  const columns: string[][] = []
  for (const size of [1, most]) {
    const peak = (subject: Subject) => async (round: number) => {
      using runner = Runner.of(bench.bundle(subject).file, await server.variables(''))
      const leases = Array.from({ length: size }, (_, n) => `${HOLDING.indexOf(subject)}/${size}/${round}/${n}`)
      return await runner.hold(leases)
    }
    const samples = await inTurns(
      rounds,
      HOLDING.map((subject) => [subject, peak(subject)] as const),
    )
    columns.push(HOLDING.map((subject) => show(costRatio(samples, subject, BARE, 'rssMB'))))
  }
  return {
    title: 'Memory',
    tables: [
      {
        about:
          'Peak memory of a process that leads so many leases at once, as a ratio to the bare SDK, ' +
          `which renews none. ${rounds} rounds.`,
        columns: ['handler', '1 lease', `${most.toLocaleString('en')} leases`],
        rows: HOLDING.map((subject, row) => [subject, ...columns.map((column) => column[row] ?? '')]),
      },
    ],
  }
}
