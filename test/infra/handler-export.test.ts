import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Stack } from 'aws-cdk-lib'
import { afterAll, expect, test } from 'vitest'
import { ElectedSchedule, LeaseTable } from '../../infra/constructs/index.ts'
import { HOURLY, newApp } from '../support/cdk-app.ts'

// Inside the project, as the CDK asks of an entry.
const directory = mkdtempSync(join(import.meta.dirname, '../../node_modules/.with spaces-'))
writeFileSync(join(directory, 'package.json'), '{}')
afterAll(() => rmSync(directory, { recursive: true }))

function elect(file: string, text: string, bundledStacks: readonly string[]) {
  const entry = join(directory, file)
  writeFileSync(entry, text)
  const stack = new Stack(newApp({ context: { 'aws:cdk:bundling-stacks': bundledStacks } }), 'Stack')
  return new ElectedSchedule(stack, 'Hourly', {
    leaseTable: new LeaseTable(stack, 'Leases'),
    lease: 'a',
    entry,
    ...HOURLY,
  })
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
