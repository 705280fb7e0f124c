// @ts-nocheck
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

const PROGRAM = join(import.meta.dirname, '../../infra/cli/tenure.ts')

/** Of the program `tenure`. */
function run(...argv: readonly string[]) {
  return new Promise<{ exitCode: unknown; stdout: string; stderr: string }>((resolve) => {
    execFile(process.execPath, [PROGRAM, ...argv], (error, stdout, stderr) =>
      resolve({ exitCode: error?.code ?? 0, stdout, stderr }),
    )
  })
}

describe.concurrent('tenure', () => {
  test.each([
    [[], /init \[folder\][\s\S]*dev <file>/],
    [['--help'], /init \[folder\][\s\S]*dev <file>/],
    [['--version'], /^\d+\.\d+\.\d+\n$/],
    [['init', '--help'], /--javascript/],
    [['dev', '--help'], /--table <name:key\[:sortKey\]>/],
  ])('%j prints %s', async (argv, text) => {
    const { exitCode, stdout, stderr } = await run(...argv)
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    expect(stdout).toMatch(text)
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([])
  })

  test.each([
    [['inti'], 'tenure has no command "inti". Did you mean init?'],
    [['deploy'], 'tenure has no command "deploy". The commands are init and dev'],
    [['constructor'], 'tenure has no command "constructor". The commands are init and dev'],
    [['init', '--javascrpt'], 'Did you mean --javascript?'],
    [['init', import.meta.dirname], 'is not empty: it has '],
    [['dev'], "missing required argument 'file'"],
    [['dev', 'absent.ts'], 'absent.ts does not exist'],
  ])('%j is refused: %s', async (argv, message) => {
    const { exitCode, stdout, stderr } = await run(...argv)
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
    expect(stderr).toContain(message)
  })
})
