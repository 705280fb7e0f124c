/**
 * A project for the CDK to bundle a function of the user's own in. NodejsFunction takes no entry from outside of the project
 * whose lock file it finds, and esbuild would look for `tenure` where the function lies: this one has a module that
 * exports what the function exports, and an esbuild that knows `tenure`. All else is as in a deployment.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { LIBRARY, PACKAGES } from './own-entry.ts'

/** @returns the module to bundle, from within `directory`, which is made */
export function makeOwnProject(directory: string, entry: string): string {
  const commands = join(directory, 'node_modules/.bin')
  mkdirSync(commands, { recursive: true })
  writeFileSync(join(directory, 'package-lock.json'), '{}')
  const esbuild = `exec ${quoted(join(PACKAGES, 'esbuild/bin/esbuild'))} "$@" ${quoted(`--alias:tenure=${LIBRARY}`)}`
  writeFileSync(join(commands, 'esbuild'), `#!/bin/sh\n${esbuild}\n`, { mode: 0o755 })
  const module = join(directory, 'handler.js')
  writeFileSync(module, `export * from ${JSON.stringify(entry)}\n`)
  return module
}

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`
