// @ts-nocheck
import { cp, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { ScanCommand } from '@aws-sdk/client-dynamodb'
import { beforeAll, expect, test } from 'vitest'
import { advance, clientsOf, describeDeployment } from './emulator.ts'
import { INSTALL, installNodes, packProject, runOrThrow, until } from './program.ts'
import { bootstrapped, cdkIn, disableChecks, outputsOf } from './stack.ts'

/** An app in its own directory, which has of this project only the package of `npm pack`. */
describeDeployment('a consumer app with the packed project', (emulator) => {
  const app = join(emulator.directory, 'consumer-app')
  const clients = clientsOf(emulator)

  beforeAll(async () => {
    await bootstrapped(emulator)
    await cp(join(import.meta.dirname, 'consumer-app'), app, { recursive: true })
    await runOrThrow(app, 'npm', ...INSTALL, await packProject(emulator.directory))
  }, 300_000)

  test('compiles with the types of the package, and each Node can require every entry', async () => {
    await runOrThrow(app, 'npm', 'run', 'check')
    for (const node of await installNodes(join(emulator.directory, 'nodes'))) {
      const output = await runOrThrow(app, node, 'built/every-entry.cjs')
      expect(output).toContain(
        'completed ElectedSchedule leaseMetrics leaseCoordinator s3Checkpoints selfInvoke Events of Tenure',
      )
    }
  })

  test('gets the documented files, and no files of billing, the sandbox or tests', async () => {
    const files = await readdir(join(app, 'node_modules/tenure'), { recursive: true })
    expect(files).toContain('docs/events/events.schema.json')
    expect(files.filter((file) => /billing|sandbox|^test/.test(file))).toEqual([])
  })

  test('is deployed, each function in a bundle under 1 MB', async () => {
    const args = ['deploy', '--require-approval', 'never', '--output', 'out']
    expect(await cdkIn(app, emulator, ...args)).toContain('CREATE_COMPLETE')
    const bundles = (await readdir(join(app, 'out'), { recursive: true })).filter((file) => file.endsWith('index.mjs'))
    expect(bundles).toHaveLength(4)
    for (const bundle of bundles) expect((await stat(join(app, 'out', bundle))).size).toBeLessThan(1_000_000)
    await disableChecks(clients)
  })

  /** Waits for the history rows, which the announcer writes after the tenures. */
  async function untilTenures(count: number): Promise<void> {
    const TableName = (await outputsOf(clients, 'Invoices')).get('LeaseTableName')
    await until(`${count} tenures that completed`, async () => {
      const { Items = [] } = await clients.dynamodb.send(new ScanCommand({ TableName }))
      const completed = Items.filter(({ outcome }) => outcome?.S === 'completed').length
      return { done: completed === count, seen: completed }
    })
  }

  test('elects its own function: one invoice run per tick, with rising tokens and a history', async () => {
    const outputs = await outputsOf(clients, 'Invoices')
    const ticks: string[] = []
    for (let count = 1; count <= 2; count++) {
      // The emulator's hour is short: a candidate must not find the leader of the tick before.
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
    expect(second).toBe((first ?? 0) + 2)
  })

  test('is destroyed without its lease table', async () => {
    const TableName = (await outputsOf(clients, 'Invoices')).get('LeaseTableName')
    await cdkIn(app, emulator, 'destroy', '--force', '--app', 'out')
    const { Items = [] } = await clients.dynamodb.send(new ScanCommand({ TableName }))
    // The lease, and a tenure of each invocation that led. A retry would go on, too, but as the same candidate.
    expect(Items).toHaveLength(1 + 2 * 2)
    expect(new Set(Items.map(({ candidate }) => candidate?.S)).size).toBe(1 + 2 * 2)
  })
})
