import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

/** What a reader of docs/testing.md installs beside the packed library. */
const PACKAGES = ['@middy/core@7.9.2', '@aws-sdk/client-dynamodb@3.1162.0', '@aws-sdk/lib-dynamodb@3.1162.0']
const RUNNERS = ['vitest@5.1.0', 'jest@30', '@swc/core@1', '@swc/jest@0.2', 'aws-sdk-client-mock@4']

describe('the recipes of docs/testing.md', () => {
  const project = mkdtempSync(join(tmpdir(), 'tenure recipes '))
  const run = (command: string, ...args: string[]) =>
    execFileSync(command, args, { cwd: project, encoding: 'utf8', stdio: 'pipe', env: CLEAN })
  const {
    LEASE_TABLE: _table,
    LEASE_NAME: _name,
    VITEST: _vitest,
    NODE_OPTIONS: _options,
    ...environment
  } = process.env
  const CLEAN = { ...environment, AWS_REGION: 'eu-central-1' }

  beforeAll(() => {
    const pages = readFileSync('docs/testing.md', 'utf8')
    for (const [, file = '', text = ''] of pages.matchAll(/```js file=(\S+)\n(.*?)```/gs)) {
      mkdirSync(dirname(join(project, file)), { recursive: true })
      writeFileSync(join(project, file), text)
    }
    writeFileSync(join(project, 'package.json'), '{ "type": "module", "private": true }')
    const [packed] = JSON.parse(
      execFileSync('npm', ['pack', '--json', '--pack-destination', project], {
        encoding: 'utf8',
        stdio: 'pipe',
      }).replace(/^[^[]*/, ''),
    )
    run(
      'npm',
      'install',
      '--no-audit',
      '--no-fund',
      '--prefer-offline',
      `./${packed.filename}`,
      ...PACKAGES,
      ...RUNNERS,
    )
  }, 300_000)
  afterAll(() => rmSync(project, { recursive: true, force: true }))

  it.each([
    ['Vitest, and aws-sdk-client-mock', ['node_modules/vitest/vitest.mjs', 'run', '--dir', 'test']],
    ['node:test', ['--test', 'test/node.mjs']],
    [
      'Jest with ES modules',
      [
        '--experimental-vm-modules',
        'node_modules/jest/bin/jest.js',
        '--config',
        '{"transform":{},"testMatch":["**/*.jest.mjs"],"moduleFileExtensions":["mjs","js"]}',
      ],
    ],
    ['Jest with SWC', ['node_modules/jest/bin/jest.js', '--config', 'jest.swc.cjs']],
  ])(
    'pass in %s',
    (_name, args) => {
      expect(() => run('node', ...args)).not.toThrow()
    },
    60_000,
  )
})
