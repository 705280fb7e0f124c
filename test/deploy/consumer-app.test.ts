import { cp, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { ScanCommand } from '@aws-sdk/client-dynamodb'
import { beforeAll, describe, expect, inject, test } from 'vitest'
import { runCdkIn } from './cdk.ts'
import { clientsOf } from './clients.ts'
import { advance } from './emulator.ts'
import { until } from './poll.ts'
import { runProgram } from './program.ts'
import { bootstrapped, outputsOf } from './stack.ts'
import { timed } from './timed.ts'

const emulator = inject('emulator')
const root = join(import.meta.dirname, '../..')

/** Somebody else's app, in a directory of its own, which knows of this project what `npm pack` gives. */
describe.skipIf(emulator === undefined)("a stranger's app, with the packed project installed", () => {
  if (emulator === undefined) return
  const app = join(emulator.directory, 'stranger')
  const clients = clientsOf(emulator)

  const npm = async (cwd: string, ...args: readonly string[]) => {
    const { exitCode, output } = await timed(`npm ${args.join(' ')}`, () =>
      // Installed programs find this Node, as they find it in the scripts of the project.
      runProgram('npm', args, { cwd, env: { ...process.env, NODE_OPTIONS: '' } }),
    )
    if (exitCode !== 0) throw new Error(`npm ${args.join(' ')} failed:\n${output.slice(-3000)}`)
    return output
  }

  beforeAll(async () => {
    await bootstrapped(emulator)
    await cp(join(import.meta.dirname, 'stranger'), app, { recursive: true })
    await npm(root, 'pack', '--silent', '--pack-destination', emulator.directory)
    const packed = (await readdir(emulator.directory)).find((file) => file.endsWith('.tgz')) ?? 'nothing was packed'
    await npm(app, 'install', '--no-audit', '--no-fund', '--prefer-offline', join(emulator.directory, packed))
  }, 300_000)

  test('compiles against the types of the package', async () => {
    await npm(app, 'run', 'check')
  })

  test('finds in the package what is documented, and nothing of billing, tests or this machine', async () => {
    const files = await readdir(join(app, 'node_modules/tenure'), { recursive: true })
    expect(files).toContain('docs/events/LeaderElected.schema.json')
    expect(files.filter((file) => /billing|sandbox|^test|\.map$/.test(file))).toEqual([])
  })

  test('synthesizes and deploys, each function in a bundle under 1 MB', async () => {
    const { exitCode, output } = await runCdkIn(
      app,
      emulator,
      'deploy',
      '--require-approval',
      'never',
      '--output',
      'out',
    )
    expect(output.slice(-3000)).toContain('CREATE_COMPLETE')
    expect(exitCode).toBe(0)
    const bundles = (await readdir(join(app, 'out'), { recursive: true })).filter((file) => file.endsWith('index.mjs'))
    expect(bundles).toHaveLength(3)
    for (const bundle of bundles) expect((await stat(join(app, 'out', bundle))).size).toBeLessThan(1_000_000)
  })

  /** Its history, which is written after a tenure has ended. */
  async function untilTenures(count: number): Promise<void> {
    const TableName = (await outputsOf(clients, 'Invoices')).get('LeaseTableName')
    await until(`${count} tenures that completed`, async () => {
      const { Items = [] } = await clients.dynamodb.send(new ScanCommand({ TableName }))
      const completed = Items.filter(({ outcome }) => outcome?.S === 'completed').length
      return { done: completed === count, seen: completed }
    })
  }

  test('elects its own function: one invoice run per tick, under rising tokens, with a history of its own', async () => {
    const outputs = await outputsOf(clients, 'Invoices')
    const ticks: string[] = []
    for (let count = 1; count <= 2; count++) {
      // Here an hour is a moment, and while the tick before is worked, candidates of the next would find its leader.
      ticks.push(await advance(emulator))
      await untilTenures(count)
    }
    const { Items: sent = [] } = await clients.dynamodb.send(
      new ScanCommand({ TableName: outputs.get('SentTableName') }),
    )
    const runs = sent.map(({ tick, sentUnder }) => ({ tick: tick?.S, token: Number(sentUnder?.N) }))
    runs.sort((a, b) => a.token - b.token)
    expect(runs.map(({ tick }) => tick)).toEqual(ticks)
    const [first, second] = runs.map(({ token }) => token)
    expect(second).toBe((first ?? 0) + 1)
  })

  test('is destroyed, and its lease table is kept', async () => {
    const TableName = (await outputsOf(clients, 'Invoices')).get('LeaseTableName')
    const { exitCode } = await runCdkIn(app, emulator, 'destroy', '--force', '--app', 'out')
    expect(exitCode).toBe(0)
    const { Count } = await clients.dynamodb.send(new ScanCommand({ TableName }))
    expect(Count).toBe(3)
  })
})
