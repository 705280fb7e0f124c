import type { Bench } from '../bench.ts'
import { type Module, modulesOf, packageOf, SUBJECTS, type Subject } from '../bundles.ts'
import type { Result } from '../report.ts'

const ANALYSED: readonly Subject[] = ['bare SDK', 'withLease', 'leaderOnly']
const ROWS = 14
const KB = 1_024

/** The size of what `cdk deploy` uploads. It is the same in every run. */
export async function bundle(bench: Bench): Promise<Result> {
  const bare = bench.bundle('bare SDK').bytes
  const ratio = (subject: Subject) => bench.bundle(subject).bytes / bare
  const subjects = SUBJECTS.filter((subject) => subject !== 'Node alone' && subject !== 'effects')
  const modules = new Map<Subject, readonly Module[]>()
  for (const subject of ANALYSED) modules.set(subject, await modulesOf(subject))
  const bytesOf = (subject: Subject, matches: (module: Module) => boolean) =>
    (modules.get(subject) ?? []).filter(matches).reduce((sum, { bytes }) => sum + bytes, 0)
  const packages = [...new Set([...modules.values()].flat().map(({ path }) => packageOf(path)))]
  const more = (name: string) =>
    Math.max(...ANALYSED.map((subject) => bytesOf(subject, ({ path }) => packageOf(path) === name))) -
    bytesOf('bare SDK', ({ path }) => packageOf(path) === name)
  const heaviest = packages.toSorted((a, b) => more(b) - more(a)).slice(0, ROWS)
  const kilobytes = (matches: (module: Module) => boolean) =>
    ANALYSED.map((subject) => (bytesOf(subject, matches) / KB).toFixed(1))
  return {
    title: 'Bundle',
    tables: [
      {
        about:
          'JavaScript in the asset that `HandlerFunction` makes, minified, without source maps; ' +
          'its ratio to the bare SDK.',
        columns: ['handler', 'bytes', 'ratio'],
        rows: subjects.map((subject) => [subject, String(bench.bundle(subject).bytes), ratio(subject).toFixed(3)]),
      },
      {
        about: 'Which packages add most to it, in KB (esbuild, the same options).',
        columns: ['package', ...ANALYSED],
        rows: [
          ...heaviest.map((name) => [name, ...kilobytes(({ path }) => packageOf(path) === name)]),
          ['all others', ...kilobytes(({ path }) => !heaviest.includes(packageOf(path)))],
          ['loaded before the handler is called', ...kilobytes(({ isStatic }) => isStatic)],
        ],
      },
    ],
    json: {
      ratio: round(ratio('withLease')),
      leaderOnly: round(ratio('leaderOnly')),
      loaded: round(
        bytesOf('leaderOnly', ({ isStatic }) => isStatic) / bytesOf('bare SDK', ({ isStatic }) => isStatic),
      ),
    },
  }
}

const round = (ratio: number) => Number(ratio.toFixed(3))
