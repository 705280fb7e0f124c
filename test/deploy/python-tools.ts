/** Installs what the deployment tests need of Python into a virtual environment. */
import { access, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runProgram } from './program.ts'

/** Pinned: the launcher replaces functions inside MiniStack, and cfn-lint's rules grow with each version. */
const PACKAGES = ['ministack==1.5.33', 'cfn-lint==1.58.0']

/** This machine cannot run the emulator. The message is one line. */
export class UnavailableError extends Error {
  override readonly name = 'UnavailableError'
}

/**
 * @param temporary where the programs may put their temporary files
 * @returns the directory of the virtual environment's programs
 * @throws UnavailableError where python3, its venv or the package index is missing
 */
export async function installPythonTools(venv: string, temporary: string): Promise<string> {
  const bin = join(venv, 'bin')
  const installed = join(venv, `${PACKAGES.join('+')}.installed`)
  if (await exists(installed)) return bin
  await run(temporary, 'python3', '-m', 'venv', venv)
  await run(
    temporary,
    join(bin, 'python'),
    '-m',
    'pip',
    'install',
    '--quiet',
    '--disable-pip-version-check',
    ...PACKAGES,
  )
  await writeFile(installed, '')
  return bin
}

async function run(temporary: string, program: string, ...args: readonly string[]): Promise<void> {
  const { exitCode, output } = await runProgram(program, args, { env: { ...process.env, TMPDIR: temporary } })
  if (exitCode === 0) return
  const command = [program, ...args.slice(0, 3)].join(' ')
  const need = `Python 3.10 or newer with venv, and a package index with ${PACKAGES.join(' and ')}`
  throw new UnavailableError(`they need ${need}; \`${command}\` failed: ${output.trim().split('\n').at(-1)}`)
}

const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  )
