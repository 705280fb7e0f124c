/** The file of a function of the user's own: looked at before anything is started, so that what is wrong with it is said in a few lines. */
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { build, formatMessages, type Message } from 'esbuild'
import { property } from '../../../functions/election/json.ts'
import { count } from '../cli/phrases.ts'

const ROOT = join(import.meta.dirname, '../../..')
/** `tenure` is this checkout, wherever the function lies and whatever is installed there. */
export const LIBRARY = join(ROOT, 'functions/election')
/** Searched behind those that are installed where the function lies. */
export const PACKAGES = join(ROOT, 'node_modules')

/** Those that the CDK bundles. */
const MODULE = /\.[cm]?[jt]s$|\.[jt]sx$/
const IS_EXTERNAL_ADVICE = /^You can mark the path /

/**
 * @param entry an absolute path
 * @param directory from which files are named
 * @throws Error that says, in lines to be printed as they are, why it cannot run
 */
export async function checkEntry(entry: string, directory: string): Promise<void> {
  const found = await stat(entry).catch(() => undefined)
  if (found === undefined) throw new Error(`--function: there is no file ${entry}`)
  if (!found.isFile()) throw new Error(`--function: ${entry} is no file; name the module that exports the handler`)
  if (!MODULE.test(entry)) throw new Error(`--function: ${entry} is neither TypeScript nor JavaScript`)
  const names = await exportsOf(entry, directory)
  if (names.includes('handler')) return
  const has = names.length === 0 ? '' : `, only ${names.join(', ')}`
  throw new Error(
    `--function: ${entry} exports no "handler"${has}. Lambda calls the export of that name: export const handler = …` +
      ' (module.exports and exports.handler are none: it is bundled as an ES module)',
  )
}

/** What the bundle exports: of a CommonJS module nothing but a default, as in a deployment. */
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
    throw new Error(await inWords(error, entry), { cause: error })
  }
}

const adviceOn = (text: string) =>
  text.startsWith('Could not resolve')
    ? [{ text: 'It is searched from where the file lies, and then among what this project has installed.' }]
    : []

async function inWords(error: unknown, entry: string): Promise<string> {
  const errors = property(error, 'errors')
  if (!Array.isArray(errors)) return error instanceof Error ? error.message : String(error)
  const messages = errors.map((message: Message) => ({
    ...message,
    notes: [...message.notes.filter(({ text }) => !IS_EXTERNAL_ADVICE.test(text)), ...adviceOn(message.text)],
  }))
  const texts = await formatMessages(messages, { kind: 'error' })
  return `--function: ${entry} cannot be bundled, for ${count(errors.length, 'error')}:\n\n${texts.join('').trimEnd()}`
}
