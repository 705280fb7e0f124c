/** Runs a program to its end, and never beyond ours. */
import { type SpawnOptions, spawn } from 'node:child_process'
import { guard } from '../../infra/programs/watchdog.ts'

export interface Ended {
  readonly exitCode: number
  /** Standard output and standard error, as they came. */
  readonly output: string
}

/** A program that cannot be started ends with the exit code 127, as in a shell. */
export async function runProgram(
  program: string,
  args: readonly string[],
  options: Pick<SpawnOptions, 'cwd' | 'env'> = {},
): Promise<Ended> {
  const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  guard(child)
  const said: string[] = []
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => void said.push(text))
  }
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ exitCode: 127, output: error.message }))
    child.once('close', (code) => resolve({ exitCode: code ?? 1, output: said.join('') }))
  })
}
