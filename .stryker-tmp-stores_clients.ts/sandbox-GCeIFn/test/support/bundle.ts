// @ts-nocheck
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The modules of a bundle, and those that are loaded with its handler: not those that it imports on demand. */
export function modulesOf(bundle: string) {
  const textOf = (file: string) => readFileSync(join(bundle, file), 'utf8')
  const all = globSync('*.mjs', { cwd: bundle })
  const loaded = new Set(['index.mjs'])
  for (const file of loaded) {
    const imports = textOf(file).matchAll(/(?:^|;)(?:import|export)\b[^;]*?"\.\/([^"]+)"/gm)
    for (const [, name = ''] of imports) loaded.add(name)
  }
  return { all: new Map(all.map((file) => [file, textOf(file)])), loaded }
}
