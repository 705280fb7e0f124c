/** Whether the module of a function exports the `handler` that Lambda calls, once it is bundled as an ES module. */
import { createRequire } from 'node:module'

/** What is wrong with a module of these exports. Of a CommonJS module only `default` is left. */
export function handlerProblems(entry: string, exported: readonly string[]): string[] {
  if (exported.includes('handler')) return []
  const others = exported.length === 0 ? '' : `, only ${exported.join(', ')}`
  return [
    `${entry} exports no "handler"${others}. Lambda calls the export of that name: ` +
      'export const handler = … (module.exports and exports.handler do not count: it is bundled as an ES module)',
  ]
}

/**
 * The same for a module that the CDK is about to bundle. If esbuild is not installed (the CDK then bundles in Docker),
 * or cannot read the module (the CDK then reports why), there is nothing to say.
 */
export function entryProblems(entry: string): string[] {
  // Packages are left out, which takes milliseconds. They count only if one of them may export the handler.
  const own = exportsOf(entry, { packages: 'external' })
  if (own === undefined || own.includes('handler')) return []
  const all = exportsOf(entry, {})
  return all === undefined ? [] : handlerProblems(entry, all)
}

function exportsOf(entry: string, options: { readonly packages?: 'external' }): readonly string[] | undefined {
  try {
    const esbuild: typeof import('esbuild') = createRequire(import.meta.url)('esbuild')
    const { metafile } = esbuild.buildSync({
      entryPoints: [entry],
      bundle: true,
      platform: 'node',
      format: 'esm',
      mainFields: ['module', 'main'],
      outdir: 'unused',
      write: false,
      metafile: true,
      logLevel: 'silent',
      ...options,
    })
    return Object.values(metafile.outputs).flatMap((output) => output.exports)
  } catch {
    return undefined
  }
}
