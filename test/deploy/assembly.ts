/** What the CDK synthesizes, without deploying it. */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Template } from 'aws-cdk-lib/assertions'
import { cdk } from './cdk.ts'
import type { Emulator } from './environment.ts'

/**
 * Synthesizes the project's app, once per context.
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

/** @param context such as `candidates=3`; a later setting of the same key wins */
export function contextOptions(context: readonly string[]): string[] {
  return context.flatMap((each) => ['--context', each])
}

export async function templateFiles(assembly: string): Promise<string[]> {
  const files = await readdir(assembly)
  return files.filter((file) => file.endsWith('.template.json')).map((file) => join(assembly, file))
}

export async function readTemplate(assembly: string, stack: string): Promise<Template> {
  return Template.fromJSON(JSON.parse(await readFile(join(assembly, `${stack}.template.json`), 'utf8')))
}
