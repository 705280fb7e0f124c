/**
 * `npm run bench`: measures Tenure, the bare SDK and other libraries side by side. It keeps the result of each part
 * that ran in full, and writes docs/performance.md from them, so that a part can be run again alone.
 */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { Argument, Command } from 'commander'
import { startDynamoDBLocal } from '../../infra/programs/dynamodb-local.ts'
import { INTERRUPTED_EXIT_CODE, onInterrupt } from '../../infra/programs/interrupt.ts'
import { type Bundle, bundleAll, type Subject } from './bundles.ts'
import { bundle } from './parts/bundle.ts'
import { charges } from './parts/charges.ts'
import { coldStart } from './parts/cold-start.ts'
import { contention } from './parts/contention.ts'
import { cycles } from './parts/cycles.ts'
import { failover } from './parts/failover.ts'
import { fencing } from './parts/fencing.ts'
import { localPage } from './parts/local-page.ts'
import { memory } from './parts/memory.ts'
import { money } from './parts/money.ts'
import { requests } from './parts/requests.ts'
import { scale } from './parts/scale.ts'
import { servers } from './parts/servers.ts'
import { createTables } from './processes.ts'
import { type KeptResult, page, plotSvg, type Result, tableText } from './report.ts'

const ROOT = join(import.meta.dirname, '../..')
const PAGE = 'docs/performance.md'
const PLOTS = 'docs/performance'
const KEPT = join(ROOT, 'reports/bench')
const PARTS: Readonly<Record<string, (bench: Bench) => Promise<Result>>> = {
  requests,
  bundle,
  coldStart,
  cycles,
  contention,
  failover,
  servers,
  memory,
  fencing,
  scale,
  money,
  charges,
  localPage,
}
const NAMES = Object.keys(PARTS)

/** What all parts share. It is made when a part asks for it. */
export class Bench implements AsyncDisposable {
  readonly isQuick: boolean
  readonly #directory = mkdtempSync(join(tmpdir(), 'tenure-bench-'))
  #bundles: Map<Subject, Bundle> | undefined
  #database: ReturnType<typeof startDynamoDBLocal> | undefined

  constructor(isQuick: boolean) {
    this.isQuick = isQuick
    process.once('exit', () => rmSync(this.#directory, { recursive: true, force: true }))
  }

  bundle(subject: Subject): Bundle {
    this.#bundles ??= bundleAll(this.#directory)
    const found = this.#bundles.get(subject)
    if (found === undefined) throw new Error(`${subject} was not bundled`)
    return found
  }

  /** DynamoDB Local with the tables of all subjects. */
  async dynamodbLocal(): Promise<string> {
    if (this.#database === undefined) {
      this.#database = startDynamoDBLocal({ sharedDb: true })
      await createTables((await this.#database).endpoint)
    }
    return (await this.#database).endpoint
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await (await this.#database)?.stop()
  }
}

const command = new Command('npm run bench --')
  .description(`Measures all parts, or those that are named. Without --quick, it writes ${PAGE}.`)
  .addArgument(new Argument('[parts...]', 'default: all').choices(NAMES))
  .option('--quick', 'fewer rounds and smaller sizes: about two minutes')
  .option('--json', 'ends with one line of JSON')
  .parse()
const { quick = false, json = false }: { readonly quick?: boolean; readonly json?: boolean } = command.opts()
using interrupt = onInterrupt()
const interrupted = once(interrupt.signal, 'abort').then(() => INTERRUPTED_EXIT_CODE)
process.exit(await Promise.race([measure(), interrupted]))

async function measure(): Promise<number> {
  installPeers()
  await using bench = new Bench(quick)
  const measured = commit()
  const entries: [string, object][] = []
  let exitCode = 0
  for (const part of NAMES.filter((name) => command.args.length === 0 || command.args.includes(name))) {
    process.stdout.write(`\n${part}: started\n`)
    const beganMs = performance.now()
    const result = await PARTS[part]?.(bench).catch((error: unknown) => console.error(`${part}: failed`, error))
    if (!result) {
      exitCode = 1
      continue
    }
    const seconds = (performance.now() - beganMs) / 1_000
    process.stdout.write(`${result.tables.map(tableText).join('\n')}${part}: ${Math.round(seconds)} s\n`)
    if (result.json !== undefined) entries.push([part, result.json])
    if (!quick) keep({ ...result, part, seconds, commit: measured, machine: machine() })
  }
  if (!quick) write()
  if (json) process.stdout.write(`${JSON.stringify(Object.fromEntries(entries))}\n`)
  return exitCode
}

/** They are not in the project's own lock file. npm writes this file last. */
function installPeers(): void {
  if (existsSync(join(import.meta.dirname, 'node_modules/.package-lock.json'))) return
  process.stdout.write('Installing what Tenure is compared with, in test/bench/node_modules …\n')
  execFileSync('npm', ['ci', '--ignore-scripts'], { cwd: import.meta.dirname, stdio: ['ignore', 'ignore', 'inherit'] })
}

function keep(result: KeptResult): void {
  mkdirSync(KEPT, { recursive: true })
  writeFileSync(join(KEPT, `${result.part}.json`), JSON.stringify(result))
}

function write(): void {
  const kept = NAMES.flatMap((part): KeptResult[] => {
    const file = join(KEPT, `${part}.json`)
    return existsSync(file) ? [JSON.parse(readFileSync(file, 'utf8'))] : []
  })
  const missing = NAMES.filter((name) => !kept.some(({ part }) => part === name))
  rmSync(join(ROOT, PLOTS), { recursive: true, force: true })
  mkdirSync(join(ROOT, PLOTS))
  for (const plot of kept.flatMap(({ plots = [] }) => plots)) {
    writeFileSync(join(ROOT, PLOTS, plot.file), plotSvg(plot))
  }
  writeFileSync(join(ROOT, PAGE), page(kept, missing))
  process.stdout.write(`\nThe result is in ${PAGE}\n`)
}

function machine(): string {
  const date = new Date().toISOString().slice(0, 10)
  return `${date}, ${availableParallelism()} cores, Node.js ${process.versions.node}`
}

function commit(): string {
  const git = (...args: string[]) => execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim()
  const isChanged = git('status', '--porcelain', '--', '.', ':!docs') !== ''
  return `${git('rev-parse', '--short', 'HEAD')}${isChanged ? ' with changes' : ''}`
}
