// @ts-nocheck
import { cp, mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { describeDeployment } from './emulator.ts'
import { INSTALL, installNodes, packProject, ROOT, runOrThrow } from './program.ts'

/** The requests of a tenure, each with the header that the caller's middleware sets; aggregated clients have none. */
const sent = (item: string, layer: string) =>
  ['UpdateItem {}', 'UpdateItem {}', `PutItem ${item}`, 'UpdateItem {}'].map((request) => `${request} ${layer}`)
const WITHOUT_UNDEFINED = '{"id":{"S":"x"},"map":{"M":{}}}'
const WITH_OPTIONS = '{"id":{"S":"x"},"price":{"M":{"amount":{"N":"7"}}}}'
const outcome = (kind: string, item: string, layer: string) => ({
  kind,
  status: 'completed',
  requests: sent(item, layer),
  other: 'standby',
})

/** For each app, which versions of the ranges in package.json it installs. The middle of three ranges is middy 6. */
const APPS = ['oldest', 'middle', 'newest'] as const

describeDeployment('the packed project with the AWS SDK and the middy of an app', (emulator) => {
  const apps = join(emulator.directory, 'peers')
  let nodes: string[]

  beforeAll(async () => {
    const { peerDependencies } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'))
    const sdk: string = peerDependencies['@aws-sdk/client-dynamodb']
    const middy: readonly string[] = peerDependencies['@middy/core'].split(' || ')
    expect(peerDependencies['@aws-sdk/lib-dynamodb']).toBe(sdk)
    expect(middy).toHaveLength(APPS.length)
    await mkdir(apps)
    const packed = await packProject(apps)
    for (const [index, name] of APPS.entries()) {
      const app = join(apps, name)
      await cp(join(import.meta.dirname, 'peers'), app, { recursive: true })
      const oldest = (range = '') => (name === 'newest' ? range : range.replace('^', ''))
      const peers = [`client-dynamodb@${oldest(sdk)}`, `lib-dynamodb@${oldest(sdk)}`].map((peer) => `@aws-sdk/${peer}`)
      await runOrThrow(app, 'npm', ...INSTALL, ...peers, `@middy/core@${oldest(middy[index])}`, packed)
    }
    nodes = await installNodes(join(apps, 'nodes'))
  }, 300_000)

  test.each(APPS)('has the %s versions only once, and compiles with their types', async (name) => {
    const app = join(apps, name)
    const files = await readdir(join(app, 'node_modules'), { recursive: true })
    const peers = /(@aws-sdk\/(client|lib)-dynamodb|@middy\/core)\/package.json$/
    expect(files.filter((file) => peers.test(file))).toHaveLength(3)
    expect(files.filter((file) => /^tenure\/(.*(billing|sandbox)|test)/.test(file))).toEqual([])
    await runOrThrow(app, 'npm', 'run', 'check')
  })

  test.each(APPS)('elects with the %s middy on each Node, which can also require every entry', async (name) => {
    for (const node of nodes) {
      const required = await runOrThrow(join(apps, name), node, 'built/every-entry.cjs')
      expect(required).toContain('completed leaseMetrics Events of Tenure')
      const output = await runOrThrow(join(apps, name), node, 'built/middy.js')
      const standby = { status: 'standby', reason: 'held' }
      expect(JSON.parse(output)).toMatchObject([
        { status: 'completed', result: standby },
        { ...standby, reason: 'tickDone' },
      ])
    }
  })

  test.each([
    ['oldest', 'oldest'],
    ['newest', 'newest'],
    ['oldest', 'newest'],
    ['newest', 'oldest'],
  ])('leads with the %s SDK by clients of the %s SDK, with their options and middleware', async (own, lent) => {
    const output = await runOrThrow(join(apps, own), process.execPath, 'elect.ts', join(apps, lent, 'package.json'))
    const outcomes = output.split('\n').filter((line) => line.startsWith('{'))
    expect(outcomes.map((line) => JSON.parse(line))).toEqual([
      outcome('raw', WITHOUT_UNDEFINED, 'mine'),
      outcome('document', WITH_OPTIONS, 'mine'),
      outcome('aggregated raw', WITHOUT_UNDEFINED, 'undefined'),
      outcome('aggregated document', WITH_OPTIONS, 'undefined'),
    ])
  })
})
