/** The module of the user's function: checked before anything is started, and wrapped in a project for the CDK. */
// @ts-nocheck

import { mkdirSync, writeFileSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, extname, join } from 'node:path'
import { build } from 'esbuild'
import { handlerProblems } from '../../constructs/handler-function.ts'

/** `tenure` is this package, wherever the function is and whatever is installed there. */
export const LIBRARY = join(import.meta.dirname, '../../../functions/election')
/** Searched after the packages that are installed beside the function. */
export const PACKAGES = dirname(dirname(createRequire(import.meta.url).resolve('esbuild/package.json')))

/** The command of the CDK app that has the function. Compiled, its file ends in `.js`. */
export const OWN_FUNCTION_APP = `node ${inShell(
  join(import.meta.dirname, `own-function-app${extname(import.meta.filename)}`),
)}`

const MODULE = /\.[cm]?[jt]s$|\.[jt]sx$/

/**
 * @param entry an absolute path
 * @param directory file names in messages are relative to it
 * @throws Error that says, in printable lines, why it cannot run
 */
export async function checkEntry(entry: string, directory: string): Promise<void> {
  const found = await stat(entry).catch(() => undefined)
  if (found === undefined) throw new Error(`the file ${entry} does not exist`)
  if (!found.isFile()) throw new Error(`${entry} is not a file`)
  if (!MODULE.test(entry)) throw new Error(`${entry} is neither TypeScript nor JavaScript`)
  const [problem] = handlerProblems(entry, await exportsOf(entry, directory))
  if (problem !== undefined) throw new Error(problem)
}

async function exportsOf(entry: string, directory: string): Promise<readonly string[]> {
  try {
    const { metafile } = await build({
      entryPoints: [entry],
      absWorkingDir: directory,
      alias: { tenure: LIBRARY },
      nodePaths: [PACKAGES],
      bundle: true,
      platform: 'node',
      format: 'esm',
      mainFields: ['module', 'main'],
      outdir: directory,
      write: false,
      metafile: true,
      logLevel: 'silent',
    })
    return Object.values(metafile.outputs).flatMap((output) => output.exports)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new Error(`${entry} cannot be bundled. ${why}`, { cause: error })
  }
}

/**
 * Makes a project in which the CDK can bundle the function: NodejsFunction accepts no entry outside of the project
 * whose lock file it finds, and esbuild would search `tenure` beside the function. The project has a module that
 * re-exports the function's exports, and an esbuild that knows `tenure`. Everything else is as in a deployment.
 *
 * @returns the module to bundle, inside `directory`
 */
export function makeProject(directory: string, entry: string): string {
  const commands = join(directory, 'node_modules/.bin')
  mkdirSync(commands, { recursive: true })
  writeFileSync(join(directory, 'package-lock.json'), '{}')
  const esbuild = `exec ${inShell(join(PACKAGES, 'esbuild/bin/esbuild'))} "$@" ${inShell(`--alias:tenure=${LIBRARY}`)}`
  writeFileSync(join(commands, 'esbuild'), `#!/bin/sh\n${esbuild}\n`, { mode: 0o755 })
  const module = join(directory, 'handler.js')
  writeFileSync(module, `export * from ${JSON.stringify(entry)}\n`)
  return module
}

function inShell(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
