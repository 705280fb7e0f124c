/** The recipes of docs/testing.md, in a project of their own. */
// @ts-nocheck

import { readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { INSTALL, packProject, runOrThrow } from '../../deploy/program.ts'
import { newDirectory } from './runs.ts'

/** What a reader of docs/testing.md installs beside the packed library. */
const PACKAGES = ['@middy/core@7.9.2', '@aws-sdk/client-dynamodb@3.1162.0', '@aws-sdk/lib-dynamodb@3.1162.0']
const RUNNERS = ['vitest@5.1.0', 'jest@30', '@swc/core@1', '@swc/jest@0.2', 'aws-sdk-client-mock@4']
const CLEAN = ['-u', 'VITEST', '-u', 'LEASE_TABLE', '-u', 'LEASE_NAME', 'AWS_REGION=eu-central-1']

let project = ''
beforeAll(async () => {
  project = await newDirectory()
  for (const [, file = '', text = ''] of readFileSync('docs/testing.md', 'utf8').matchAll(
    /```js file=(\S+)\n(.*?)```/gs,
  )) {
    await mkdir(dirname(join(project, file)), { recursive: true })
    await writeFile(join(project, file), text)
  }
  await writeFile(join(project, 'package.json'), '{ "type": "module", "private": true }')
  await runOrThrow(project, 'npm', ...INSTALL, await packProject(project), ...PACKAGES, ...RUNNERS)
}, 300_000)

const ESM = '{"transform":{},"testMatch":["**/*.jest.mjs"],"moduleFileExtensions":["mjs","js"]}'
const JEST = 'node_modules/jest/bin/jest.js'

test.each([
  ['Vitest, and aws-sdk-client-mock', ['node_modules/vitest/vitest.mjs', 'run', '--dir', 'test']],
  ['Jest with ES modules', ['--experimental-vm-modules', JEST, '--config', ESM]],
  ['Jest with SWC', [JEST, '--config', 'jest.swc.cjs']],
])('pass in %s', { timeout: 60_000 }, async (_, args) => {
  expect(await runOrThrow(project, 'env', ...CLEAN, 'node', ...args)).toMatch(/[1-9]\d* passed|pass [1-9]/)
})
