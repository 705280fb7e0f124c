/** Synthesizes a CDK app as `cdk synth` does, without the 1.5 s that the CDK's command line takes to start. */
// @ts-nocheck

import { spawn } from 'node:child_process'
import { delimiter, dirname, join } from 'node:path'
import * as v from 'valibot'
import { LastLines } from '../../programs/text.ts'
import { exitOf, guard, signalGroup } from '../../programs/watchdog.ts'
import { readJson } from './assembly.ts'

export interface Synthesis {
  /** The shell command of the app, as in `cdk.json`; it runs in `root`. */
  readonly app: string
  readonly root: string
  /** For the assembly. It must exist as long as the functions run: their code is in it. */
  readonly directory: string
  readonly context: Readonly<Record<string, unknown>>
  readonly signal?: AbortSignal | undefined
}

const KEPT_LINES = 40
/** Node quotes the source line of an error, which may be minified. */
const LONGEST_SHOWN_LINE = 500

export async function appCommand(root: string): Promise<string> {
  return (await readJson(join(root, 'cdk.json'), v.object({ app: v.string() }))).app
}

/** @throws Error with the output of the app if it fails */
export async function synthesize({ app, root, directory, context, signal }: Synthesis): Promise<void> {
  signal?.throwIfAborted()
  // The app's `node` is this one, whatever the PATH says.
  const PATH = `${dirname(process.execPath)}${delimiter}${process.env['PATH'] ?? ''}`
  const env = { ...process.env, PATH, CDK_OUTDIR: directory, CDK_CONTEXT_JSON: JSON.stringify(context) }
  const child = spawn(app, { shell: true, cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  guard(child)
  const killGroup = () => signalGroup(child, 'SIGKILL')
  signal?.addEventListener('abort', killGroup, { once: true })
  const output = new LastLines([child.stdout, child.stderr], KEPT_LINES)
  const { code } = await exitOf(child)
  signal?.removeEventListener('abort', killGroup)
  signal?.throwIfAborted()
  if (code === 0) return
  const lines = output.read().filter((line) => line.trim() !== '' && line.length < LONGEST_SHOWN_LINE)
  throw new Error(`The app could not be synthesized (${app}):\n${lines.join('\n')}`)
}
