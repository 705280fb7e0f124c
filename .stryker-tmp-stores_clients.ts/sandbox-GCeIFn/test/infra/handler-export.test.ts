// @ts-nocheck
import { spawnSync } from 'node:child_process'
import { globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Stack } from 'aws-cdk-lib'
import { afterAll, expect, test } from 'vitest'
import { ElectedSchedule, LeaseTable } from '../../infra/constructs/index.ts'
import { modulesOf } from '../support/bundle.ts'
import { HOURLY, newApp } from '../support/cdk-app.ts'

// Inside the project, as the CDK asks of an entry.
const directory = mkdtempSync(join(import.meta.dirname, '../../node_modules/.with spaces-'))
writeFileSync(join(directory, 'package.json'), '{}')
afterAll(() => rmSync(directory, { recursive: true }))

function elect(file: string, text: string, bundledStacks: readonly string[]) {
  const entry = join(directory, file)
  writeFileSync(entry, text)
  const app = newApp({ context: { 'aws:cdk:bundling-stacks': bundledStacks } })
  const stack = new Stack(app, 'Stack')
  new ElectedSchedule(stack, 'Hourly', { leaseTable: new LeaseTable(stack, 'Leases'), lease: 'a', entry, ...HOURLY })
  return app.outdir
}

test.each([
  ['exports.js', 'exports.handler = async () => 1', 'only default'],
  ['module.cjs', 'module.exports = { handler: async () => 1 }', 'only default'],
  ['assigned.ts', 'const handler = async () => 1\nexport = { handler }', 'only default'],
  ['misspelt.ts', 'export const handle = async () => 1', 'only handle'],
  ['package.ts', "export * from 'croner'", 'only Cron, CronDate'],
])('an entry without an exported handler is refused at synthesis: %s', (file, text, found) => {
  const theConstruct = () => elect(file, text, ['**'])
  expect(theConstruct).toThrow(`Stack/Hourly: ${join(directory, file)} exports no "handler", ${found}`)
  expect(theConstruct).toThrow('export const handler = … (module.exports and exports.handler do not count')
})

test('a stack that is not bundled is not checked, as for `cdk ls`', () => {
  expect(() => elect('listed.cjs', 'exports.handler = 1', [])).not.toThrow()
})

test('what a handler imports on demand is a file that a standby never reads, with a source map', () => {
  writeFileSync(join(directory, 'task.ts'), "\nexport function run(): never {\n  throw new Error('ran')\n}\n")
  const importing = "export const handler = async (leads: boolean) => leads && (await import('./task.ts')).run()"
  const outdir = elect('importing.ts', importing, ['**'])
  const [bundle = '', ...more] = globSync('asset.*/index.mjs', { cwd: outdir }).map((file) => join(outdir, file))
  const [task = '', ...others] = globSync('asset.*/task-*.mjs', { cwd: outdir }).map((file) => join(outdir, file))
  expect([more, others]).toEqual([[], []])
  const call = (leads: boolean) =>
    spawnSync(
      process.execPath,
      [
        '--enable-source-maps',
        '--input-type=module',
        '-e',
        `await (await import(${JSON.stringify(pathToFileURL(bundle).href)})).handler(${leads})`,
      ],
      { encoding: 'utf8' },
    )
  expect(call(true).stderr).toMatch(/Error: ran\n +at .*task\.ts:3:9/)
  rmSync(task)
  expect(call(false)).toMatchObject({ status: 0, stderr: '' })
  expect(call(true).stderr).toContain('ERR_MODULE_NOT_FOUND')
})

test('a standby loads nothing of the SDK, and less than 110 kB', () => {
  const library = join(import.meta.dirname, '../../functions/election/index.ts')
  const imports = `import middy from '@middy/core'\nimport { leaderOnly } from ${JSON.stringify(library)}\n`
  const outdir = elect('standby.ts', `${imports}export const handler = middy().use(leaderOnly()).handler(() => 1)`, [
    '**',
  ])
  const { all, loaded } = modulesOf(join(outdir, globSync('asset.*/index.mjs', { cwd: outdir }).join(), '..'))
  const ofTheSdk = [...all].flatMap(([file, text]) => (text.includes('endpointDiscoveryEnabled') ? [file] : []))
  expect(ofTheSdk).not.toEqual([])
  expect(ofTheSdk.filter((file) => loaded.has(file))).toEqual([])
  expect([...loaded].reduce((sum, file) => sum + (all.get(file)?.length ?? 0), 0)).toBeLessThan(110_000)
})
