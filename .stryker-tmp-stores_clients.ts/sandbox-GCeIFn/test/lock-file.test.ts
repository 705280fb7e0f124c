/** What `npm ci` brings is what the lock file pins: nothing else is fetched, and no package runs anything. */
// @ts-nocheck

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const ROOT = join(import.meta.dirname, '..')
const jsonOf = (file: string): unknown => JSON.parse(readFileSync(join(ROOT, file), 'utf8'))

interface Locked {
  readonly version?: string
  readonly integrity?: string
  /** Inside the archive of another package, whose integrity covers it. */
  readonly inBundle?: boolean
}

const { packages }: { packages: Readonly<Record<string, Locked>> } = Object(jsonOf('package-lock.json'))
const fetched = Object.entries(packages).filter(
  ([path, { version, inBundle = false }]) => path.includes('node_modules/') && version !== undefined && !inBundle,
)

test('every package that is fetched has its hash in the lock file', () => {
  expect(fetched.length).toBeGreaterThan(100)
  const unpinned = fetched.filter(([, { integrity }]) => integrity?.startsWith('sha512-') !== true)
  expect(unpinned.map(([path]) => path)).toEqual([])
})

test('no package may run a script when it is installed: it could fetch what no hash pins', () => {
  const { allowScripts }: { allowScripts: object } = Object(jsonOf('package.json'))
  expect(Object.entries(allowScripts).filter(([, isAllowed]) => isAllowed)).toEqual([])
})

test.skipIf(process.platform !== 'linux')("the npm scripts' Node is the package of this platform", () => {
  const version = packages[`node_modules/node-linux-${process.arch}`]?.version
  const node = join(ROOT, 'node_modules/.bin/node')
  expect(execFileSync(node, ['--version'], { encoding: 'utf8' }).trim()).toBe(`v${version}`)
})
