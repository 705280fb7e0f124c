/** The recipes of docs/testing.md pass in the test runners that they name. */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { beforeAll, test } from 'vitest'
import { INSTALL, packProject, runOrThrow } from '../../deploy/program.ts'
import { newDirectory, ROOT } from './runs.ts'

/** What a reader of docs/testing.md installs beside the packed library. */
const PACKAGES = ['@middy/core@7.9.2', '@aws-sdk/client-dynamodb@3.1162.0', '@aws-sdk/lib-dynamodb@3.1162.0']
const RUNNERS = ['vitest@5.1.0', 'jest@30', '@swc/core@1', '@swc/jest@0.2', 'aws-sdk-client-mock@4']
const JEST = 'node_modules/jest/bin/jest.js'
const ES_MODULES = '{"transform":{},"testMatch":["**/*.jest.mjs"],"moduleFileExtensions":["mjs","js"]}'
/** A reader's shell does not have these. */
const CLEAN = ['LEASE_TABLE', 'LEASE_NAME', 'VITEST', 'NODE_OPTIONS'].flatMap((name) => ['-u', name])

let project = ''
beforeAll(async () => {
  project = await newDirectory()
  const pages = await readFile(join(ROOT, 'docs/testing.md'), 'utf8')
  for (const [, file = '', text = ''] of pages.matchAll(/```js file=(\S+)\n(.*?)```/gs)) {
    await mkdir(dirname(join(project, file)), { recursive: true })
    await writeFile(join(project, file), text)
  }
  await writeFile(join(project, 'package.json'), '{ "type": "module", "private": true }')
  await runOrThrow(project, 'npm', ...INSTALL, await packProject(project), ...PACKAGES, ...RUNNERS)
}, 300_000)

test.each([
  ['Vitest, and aws-sdk-client-mock', ['node_modules/vitest/vitest.mjs', 'run', '--dir', 'test']],
  ['node:test', ['--test', 'test/node.mjs']],
  ['Jest with ES modules', ['--experimental-vm-modules', JEST, '--config', ES_MODULES]],
  ['Jest with SWC', [JEST, '--config', 'jest.swc.cjs']],
])('the recipes pass in %s', { timeout: 60_000 }, async (_, args) => {
  await runOrThrow(project, 'env', ...CLEAN, 'AWS_REGION=eu-central-1', 'node', ...args)
})
