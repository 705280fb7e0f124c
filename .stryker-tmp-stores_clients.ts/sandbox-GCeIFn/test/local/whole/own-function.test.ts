/** A function of the user's own, from its file to the end of a run. */
// @ts-nocheck

import { randomUUID } from 'node:crypto'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { checkEntry } from '../../../infra/local/own-function/entry.ts'
import { ALL_WELL, newDirectory, runDev } from './runs.ts'

/** A directory of the user's, with these files in it. */
async function userFiles(files: Readonly<Record<string, string>>): Promise<string> {
  const directory = await newDirectory()
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(directory, name)), { recursive: true })
    await writeFile(join(directory, name), text)
  }
  return directory
}

describe('the file of a function is checked before the run:', () => {
  const GOOD = `
    import middy from '@middy/core'
    import { leaderOnly } from 'tenure'
    import { leaseMetrics } from 'tenure/metrics'
    export const handler = middy().use(leaderOnly({ onEvent: leaseMetrics({}) }))`

  test.each(['good.ts', 'good.mjs'])('%s may import the library and its packages', async (name) => {
    const directory = await userFiles({ [name]: GOOD })
    await expect(checkEntry(join(directory, name), directory)).resolves.toBeUndefined()
  })

  test.each([
    ['handler.py', '', /neither TypeScript nor JavaScript/],
    ['none.ts', 'export const handle = 1', /exports no "handler", only handle\. .*export const handler = …/],
    ['common.js', 'exports.handler = async () => 1', /exports no "handler", only default\..*as an ES module/],
    ['wrong.ts', 'export const handler =\n  const x', /cannot be bundled.*wrong\.ts:2:2: ERROR: Unexpected "const"/s],
    ['far.ts', "export { handler } from 'not-there'", /far\.ts:1:24: ERROR: Could not resolve "not-there"/s],
    ['typo.mjs', "export { leaderOnli } from 'tenure'", /No matching export.*"leaderOnli"/s],
  ])('%s is refused with the reason', async (name, text, message) => {
    const directory = await userFiles({ [name]: text })
    const error = await checkEntry(join(directory, name), directory).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ message: expect.stringMatching(message) })
  })
})

const INVOICES = `
import middy from '@middy/core'
import { DynamoDBLeaseStore, leaderOnly, type LeaderContext } from 'tenure'
import { ids } from 'theirs'

const store = new DynamoDBLeaseStore({ tableName: process.env.LEASE_TABLE ?? '' })

export const handler = middy()
  .use(leaderOnly({ store, lease: process.env.LEASE_NAME ?? '' }))
  .handler(async (event: { readonly tick: string }, { lease }: LeaderContext) => {
    for (const id of ids) {
      await lease.send({
        TableName: process.env.INVOICES ?? '',
        Key: { id },
        UpdateExpression: 'SET tick = :tick',
        ExpressionAttributeValues: { ':tick': event.tick },
      })
    }
    return { invoices: ids.length }
  })
`

const UNFENCED = `
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb'
import middy from '@middy/core'
import { leaderOnly } from 'tenure'

const client = DynamoDBDocumentClient.from(new DynamoDBClient())

export const handler = middy()
  .use(leaderOnly())
  .handler(async (event: { readonly tick: string }) => {
    console.log('working on', event.tick)
    await client.send(new PutCommand({ TableName: process.env.REPORTS, Item: { id: event.tick } }))
  })
`

/** It fails the first time in each tick. */
const FAILING = `
import { withLease } from 'tenure'

export async function handler({ tick }, context) {
  await withLease({ tick, context }, async (lease) => {
    if (lease.checkpoint === undefined) {
      await lease.saveCheckpoint('failed')
      throw new TypeError(\`The first report of \${tick} is lost\`)
    }
  })
}
`

describe.concurrent('a run of a function of the user’s own', { timeout: 240_000 }, () => {
  test('survives killed and frozen leaders, and refuses what the frozen one writes', async () => {
    const directory = await userFiles({
      'invoices.ts': INVOICES,
      'node_modules/theirs/index.js': "export const ids = ['a', 'b', 'c']",
      'node_modules/tenure/index.js': 'export const older = true',
    })
    const before = await readdir(directory)
    const table = `Invoices-${randomUUID()}`
    const { summary, verdict, output } = await runDev([
      ...[join(directory, 'invoices.ts'), '--lease', 'invoices'],
      ...['--table', `${table}:id`, '--env', `INVOICES=${table}`],
      ...['--ticks', '3', '--kill-leader', '1', '--freeze-leader', '2'],
    ])
    expect(verdict, output).toEqual(ALL_WELL)
    expect(summary, output).toMatchObject({ ticks: 3, completed: 3, completedTwice: 0, candidates: 2 })
    expect(summary.tookOver, output).toBeGreaterThanOrEqual(2)
    expect(summary.staleWritesRefused, output).toBeGreaterThanOrEqual(1)
    expect(output).toMatch(/⚡ candidate \d: killed[\s\S]*⚡ candidate \d: frozen[\s\S]*⚡ candidate \d: thawed/)
    expect(await readdir(directory)).toEqual(before)
  })

  test('fails, and names the table, if a replaced leader writes without a fence', async () => {
    const directory = await userFiles({ 'reports.ts': UNFENCED })
    const table = `Unfenced-${randomUUID()}`
    const { summary, verdict, output } = await runDev([
      ...[join(directory, 'reports.ts'), '--table', `${table}:id`, '--env', `REPORTS=${table}`],
      ...['--ticks', '2', '--freeze-leader', '1'],
    ])
    expect(verdict.errors, output).toEqual(['1 write of replaced leaders accepted, because no fence guarded them'])
    expect(summary, output).toMatchObject({ staleWritesRefused: 0, unguardedWrites: { [table]: 1 } })
    expect(output).toMatch(/! candidate \d, replaced: PutItem of Unfenced-\S+ accepted, no fence/)
    expect(output).toContain(`table ${table}: 1 write of replaced leaders accepted, no fence`)
    expect(output).not.toContain('the fence refused')
    expect(output).toMatch(/\d \| working on \d{4}-/) // what it logs
  })

  test('counts one that returns nothing by its requests, and shows where its errors were thrown', async () => {
    const directory = await userFiles({ 'failing.mjs': FAILING })
    const { summary, verdict, output } = await runDev([join(directory, 'failing.mjs'), '--ticks', '1'])
    expect(verdict, output).toEqual(ALL_WELL)
    expect(summary, output).toMatchObject({ completed: 1, completedTwice: 0, tookOver: 1 })
    expect(output).toMatch(/leading with token \d+, failed: TypeError: The first report of \S+ is lost/)
    expect(output).toMatch(/failing\.mjs:8:/)
  })
})
