/** Runs the CDK CLI against the emulator. */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { awsEnvironment, type Emulator } from './emulator.ts'
import { type Ended, ROOT, runProgram } from './program.ts'

/** @param cwd the directory of the CDK app */
export async function runCdkIn(cwd: string, emulator: Emulator, ...args: readonly string[]): Promise<Ended> {
  // Each run has its own output directory, because several runs can use one tree at the same time.
  const output = args.includes('--output') ? [] : ['--output', await mkdtemp(join(emulator.directory, 'assembly-'))]
  const options = [...output, '--no-color', '--no-notices', '--no-version-reporting']
  return runProgram(join(ROOT, 'node_modules/.bin/cdk'), [...args, ...options], {
    cwd,
    env: {
      ...awsEnvironment(emulator.url, emulator.directory),
      PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
      CDK_HOME: emulator.directory, // for its caches, instead of the user's home
      CDK_DISABLE_CLI_TELEMETRY: 'true',
    },
  })
}

/** @throws Error with the end of the output if the CDK fails */
export async function cdkIn(cwd: string, emulator: Emulator, ...args: readonly string[]): Promise<string> {
  const { exitCode, output } = await runCdkIn(cwd, emulator, ...args)
  if (exitCode !== 0) throw new Error(`cdk ${args.join(' ')} ended with exit code ${exitCode}:\n${output.slice(-4000)}`)
  return output
}

/** For this project's app. @throws Error with the end of the output if the CDK fails */
export const cdk = (emulator: Emulator, ...args: readonly string[]) => cdkIn(ROOT, emulator, ...args)

/**
 * Synthesizes this project's app, once per context.
 *
 * @returns the directory of the cloud assembly
 */
export async function synthesize(emulator: Emulator, ...context: readonly string[]): Promise<string> {
  const assembly = assemblyOf(emulator, context)
  if (existsSync(join(assembly, 'manifest.json'))) return assembly
  await cdk(emulator, 'synth', '--quiet', '--output', assembly, ...contextOptions(context))
  return assembly
}

export function assemblyOf({ directory }: Emulator, context: readonly string[]): string {
  return join(directory, `assembly-${createHash('sha256').update(context.join('\n')).digest('hex').slice(0, 8)}`)
}

/** @param context such as `candidates=3` */
export function contextOptions(context: readonly string[]): string[] {
  return context.flatMap((each) => ['--context', each])
}
