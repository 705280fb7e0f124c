/** Runs programs, and waits. */
// @ts-nocheck

import { type SpawnOptions, spawn } from 'node:child_process'
import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { guard } from '../../infra/programs/watchdog.ts'

/** The directory of the project. */
export const ROOT = join(import.meta.dirname, '../..')

interface Ended {
  readonly exitCode: number
  /** Standard output and standard error. */
  readonly output: string
}

/** Runs a program to its end, at most as long as this process. If it cannot be started, the exit code is 127. */
export async function runProgram(
  program: string,
  args: readonly string[],
  options: Pick<SpawnOptions, 'cwd' | 'env'> = {},
): Promise<Ended> {
  const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  guard(child)
  const chunks: string[] = []
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => void chunks.push(text))
  }
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ exitCode: 127, output: error.message }))
    child.once('close', (code) => resolve({ exitCode: code ?? 1, output: chunks.join('') }))
  })
}

/** @throws Error with the end of the output if the program fails */
export async function runOrThrow(cwd: string, program: string, ...args: readonly string[]): Promise<string> {
  const command = [program, ...args].join(' ')
  // Without the NODE_OPTIONS of this process, but with its path, where programs find this Node.
  const env = { ...process.env, NODE_OPTIONS: '' }
  const { exitCode, output } = await runProgram(program, args, { cwd, env })
  if (exitCode !== 0) throw new Error(`${command} failed:\n${output.slice(-3000)}`)
  return output
}

/** Packs the project into a directory. @returns the path of the package */
export async function packProject(directory: string): Promise<string> {
  await runOrThrow(ROOT, 'npm', 'pack', '--silent', '--pack-destination', directory)
  const file = (await readdir(directory)).find((each) => each.endsWith('.tgz'))
  if (file === undefined) throw new Error(`npm pack wrote no package into ${directory}`)
  return join(directory, file)
}

/** This Node and, installed into the directory, the oldest that the package allows: npm has it for Linux. */
export async function installNodes(directory: string): Promise<string[]> {
  if (process.platform !== 'linux') return [process.execPath]
  const { engines } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'))
  const name = `node-linux-${process.arch}`
  await mkdir(directory)
  await runOrThrow(directory, 'npm', ...INSTALL, '--prefix', directory, `${name}@${engines.node.replace('>=', '')}`)
  return [process.execPath, join(directory, 'node_modules', name, 'bin/node')]
}

export const INSTALL = ['install', '--no-audit', '--no-fund', '--prefer-offline'] as const

/**
 * Polls until `done`.
 *
 * @param what completes "Waited 60 s for: …"
 * @returns the last `seen`
 * @throws Error with the last `seen` after 60 s; what `look` throws, at once
 */
export async function until<T>(
  what: string,
  look: () => Promise<{ readonly done: boolean; readonly seen: T }>,
): Promise<T> {
  const giveUpAtMs = performance.now() + 60_000
  while (true) {
    const { done, seen } = await look()
    if (done) return seen
    if (performance.now() > giveUpAtMs) throw new Error(`Waited 60 s for: ${what}. Last seen: ${JSON.stringify(seen)}`)
    await sleep(150)
  }
}
