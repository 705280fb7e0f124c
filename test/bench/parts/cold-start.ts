import type { Bench } from '../bench.ts'
import { PEERS, type Subject, TENURE } from '../bundles.ts'
import { costRatio, inTurns, rounded, type Samples, show } from '../measure.ts'
import { Runner, Server, type Start, startOnce } from '../processes.ts'
import type { Result } from '../report.ts'

const BARE = 'bare SDK'
const WINNERS: readonly Subject[] = [BARE, ...TENURE, 'leaderOnly, heavy task imported', ...PEERS, 'Node alone']
/** dynamodb-lock-client waits until the lease is over, before it loses. */
const LOSERS: readonly Subject[] = WINNERS.filter((subject) => subject !== 'dynamodb-lock-client')

/** From the start of a process to the verdict of its handler. */
export async function coldStart(bench: Bench): Promise<Result> {
  using server = await Server.start('double')
  const rounds = bench.isQuick ? 3 : 31
  const nameOf = (subject: Subject) => subject.replaceAll(/\W/g, '')
  const start = async (subject: Subject, lease: string, expected: string) => {
    const verdict = await startOnce(bench.bundle(subject).file, await server.variables(lease))
    if (verdict.status === expected || subject === 'Node alone') return verdict
    throw new Error(`${subject} is ${verdict.status}, not ${expected}`)
  }
  const winning = (subject: Subject) => (round: number) =>
    start(subject, `won/${nameOf(subject)}/${round}`, 'completed')
  const losing = (subject: Subject) => () => start(subject, `held/${nameOf(subject)}`, 'standby')
  const won = await inTurns(
    rounds,
    WINNERS.map((subject) => [subject, winning(subject)] as const),
  )
  using holders = new DisposableStack()
  for (const subject of LOSERS.filter((name) => name !== 'Node alone')) {
    const lease = `held/${nameOf(subject)}`
    await holders.use(Runner.of(bench.bundle(subject).file, await server.variables(lease))).hold([lease])
  }
  const lost = await inTurns(
    rounds,
    LOSERS.map((subject) => [subject, losing(subject)] as const),
  )
  const table = (about: string, of: Samples<Subject, Start>, names: readonly Subject[]) => ({
    about:
      `${about}: ratios to the bare SDK, ${rounds} starts each, bundled by \`HandlerFunction\`, ` +
      'against a DynamoDB in memory.',
    columns: ['handler', 'time', 'CPU', 'peak memory'],
    rows: names.map((name) => [
      name,
      ...(['ms', 'cpuMs', 'rssMB'] as const).map((cost) => show(costRatio(of, name, BARE, cost))),
    ]),
  })
  const plot = (role: string, of: Samples<Subject, Start>, names: readonly Subject[]) => ({
    file: `cold-start-${role}.svg`,
    title: `Cold start of a ${role}, ratio to the bare SDK`,
    bars: names.map((label) => ({ label, value: costRatio(of, label, BARE, 'ms') })),
  })
  const json = (of: Samples<Subject, Start>, cost: 'ms' | 'cpuMs') => rounded(costRatio(of, 'leaderOnly', BARE, cost))
  return {
    title: 'Cold start',
    tables: [
      table('The winner, from the start of its process to the end of its empty task', won, WINNERS),
      table('The loser, from the start of its process to its verdict, while another process leads', lost, LOSERS),
    ],
    plots: [plot('winner', won, WINNERS), plot('loser', lost, LOSERS)],
    json: {
      ...{ winner: json(won, 'ms'), loser: json(lost, 'ms') },
      ...{ winnerCpu: json(won, 'cpuMs'), loserCpu: json(lost, 'cpuMs') },
    },
  }
}
