/** Runs the CDK's own command line against the emulator. */
import { mkdtemp } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { awsEnvironment } from './aws.ts'
import type { Emulator } from './environment.ts'
import { type Ended, runProgram } from './program.ts'
import { timed } from './timed.ts'

const root = join(import.meta.dirname, '../..')

/** Runs `cdk ARGS` for this project, to its end, whatever that is. */
export const runCdk = (emulator: Emulator, ...args: readonly string[]) => runCdkIn(root, emulator, ...args)

/** The same for the CDK app in any directory. */
export async function runCdkIn(cwd: string, emulator: Emulator, ...args: readonly string[]): Promise<Ended> {
  // What is synthesized goes into a directory of its own: several runs of the app may be under way in one tree.
  const output = args.includes('--output') ? [] : ['--output', await mkdtemp(join(emulator.directory, 'assembly-'))]
  const options = [...output, '--no-color', '--no-notices', '--no-version-reporting']
  return timed(`cdk ${args.join(' ')}`, () =>
    runProgram(join(root, 'node_modules/.bin/cdk'), [...args, ...options], {
      cwd,
      env: {
        ...awsEnvironment(emulator.url, emulator.directory),
        PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
        CDK_HOME: emulator.directory, // its caches, else in the user's home
        CDK_DISABLE_CLI_TELEMETRY: 'true',
      },
    }),
  )
}

/** The same where anything but success is a mistake of the test's surroundings. @throws Error with what the CDK said */
export const cdk = (emulator: Emulator, ...args: readonly string[]) => cdkIn(root, emulator, ...args)

export async function cdkIn(cwd: string, emulator: Emulator, ...args: readonly string[]): Promise<string> {
  const { exitCode, output } = await runCdkIn(cwd, emulator, ...args)
  if (exitCode !== 0) throw new Error(`cdk ${args.join(' ')} ended with exit code ${exitCode}:\n${output.slice(-4000)}`)
  return output
}
