import { cp, mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { describeDeployment } from './describe.ts'
import { INSTALL, packProject, ROOT, runOrThrow } from './program.ts'

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

describeDeployment('the packed project with the AWS SDK of an app', (emulator) => {
  const apps = join(emulator.directory, 'sdk-range')

  /** Installs the oldest and the newest SDK of the range in package.json. */
  beforeAll(async () => {
    const { peerDependencies } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'))
    const range: string = peerDependencies['@aws-sdk/client-dynamodb']
    expect(peerDependencies['@aws-sdk/lib-dynamodb']).toBe(range)
    await mkdir(apps)
    const packed = await packProject(apps)
    for (const [name, version] of [
      ['oldest', range.replace('^', '')],
      ['newest', range],
    ] as const) {
      const app = join(apps, name)
      await cp(join(import.meta.dirname, 'sdk-range'), app, { recursive: true })
      const sdk = ['client-dynamodb', 'lib-dynamodb'].map((library) => `@aws-sdk/${library}@${version}`)
      await runOrThrow(app, 'npm', ...INSTALL, ...sdk, packed)
    }
  }, 300_000)

  test.each(['oldest', 'newest'])('has the %s SDK only once, and its types accept the clients', async (version) => {
    const app = join(apps, version)
    const files = await readdir(join(app, 'node_modules'), { recursive: true })
    expect(files.filter((file) => /@aws-sdk\/(client|lib)-dynamodb\/package.json$/.test(file))).toHaveLength(2)
    await runOrThrow(app, 'npm', 'run', 'check')
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
