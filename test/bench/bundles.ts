/** The handlers under measure, bundled by HandlerFunction as `cdk deploy` does. */
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { App, CfnResource, Stack } from 'aws-cdk-lib'
import { type BuildOptions, build } from 'esbuild'
import { HandlerFunction } from '../../infra/constructs/handler-function.ts'

/**
 * What is measured, and its file in handlers/. The others are compared with the first two. Peers are JavaScript,
 * because their packages are not there when the project is checked.
 */
const HANDLERS = {
  'bare SDK': 'bare.ts',
  'bare SDK, same expressions': 'same.ts',
  withLease: 'with-lease.ts',
  leaderOnly: 'leader-only.ts',
  'leaderOnly, heavy task imported': 'leader-only-import.ts',
  'Powertools idempotency': 'peers/powertools.mjs',
  'dynamodb-lock-client': 'peers/lock-client.mjs',
  '@deliveryhero/dynamodb-lock': 'peers/deliveryhero.mjs',
  'Node alone': 'nothing.ts',
  effects: 'effects.ts',
} as const
export type Subject = keyof typeof HANDLERS
export const SUBJECTS = Object.keys(HANDLERS).filter((name): name is Subject => name in HANDLERS)

export const TENURE: readonly Subject[] = ['withLease', 'leaderOnly']
export const PEERS: readonly Subject[] = [
  'Powertools idempotency',
  'dynamodb-lock-client',
  '@deliveryhero/dynamodb-lock',
]

export interface Bundle {
  readonly entry: string
  readonly file: string
  /** Of all JavaScript in the asset, without source maps. */
  readonly bytes: number
}

const ROOT = join(import.meta.dirname, '../..')
const entryOf = (subject: Subject) => join(import.meta.dirname, 'handlers', HANDLERS[subject])

export function bundleAll(directory: string, subjects: readonly Subject[] = SUBJECTS): Map<Subject, Bundle> {
  const outdir = join(directory, 'assets')
  rmSync(outdir, { recursive: true, force: true })
  const stack = new Stack(new App({ outdir, context: { 'aws:cdk:enable-asset-metadata': true } }), 'Bench')
  const bundles = subjects.map((subject, n): [Subject, Bundle] => {
    const entry = entryOf(subject)
    const { defaultChild } = new HandlerFunction(stack, `Handler${n}`, { entry }).node
    const asset = defaultChild instanceof CfnResource ? defaultChild.cfnOptions.metadata?.['aws:asset:path'] : undefined
    const path = join(outdir, String(asset))
    const scripts = readdirSync(path, { recursive: true, encoding: 'utf8' }).filter((name) => /\.m?js$/.test(name))
    const bytes = scripts.reduce((sum, name) => sum + statSync(join(path, name)).size, 0)
    const file = join(path, ['index.mjs', 'index.js'].find((name) => existsSync(join(path, name))) ?? '')
    return [subject, { entry, file, bytes }]
  })
  return new Map(bundles)
}

/** As HandlerFunction bundles, but with a report of what is in it. */
const OPTIONS: BuildOptions = {
  bundle: true,
  splitting: true,
  platform: 'node',
  format: 'esm',
  mainFields: ['module', 'main'],
  target: 'node24',
  minify: true,
  write: false,
  metafile: true,
  outdir: 'unused',
  logLevel: 'silent',
  absWorkingDir: ROOT,
}

export interface Module {
  readonly path: string
  readonly bytes: number
  /** Loaded with the handler, not by an `import()` afterwards. */
  readonly isStatic: boolean
}

/** The modules in the bundle of this entry, and how much each adds to it. */
export async function modulesOf(subject: Subject): Promise<readonly Module[]> {
  const { metafile } = await build({ ...OPTIONS, entryPoints: [entryOf(subject)], metafile: true })
  const statics = new Set<string>()
  const follow = (name: string): void => {
    if (statics.has(name)) return
    statics.add(name)
    for (const { path, kind } of metafile.outputs[name]?.imports ?? []) if (kind !== 'dynamic-import') follow(path)
  }
  for (const [name, { entryPoint }] of Object.entries(metafile.outputs)) {
    if (entryPoint !== undefined && join(ROOT, entryPoint) === entryOf(subject)) follow(name)
  }
  return Object.entries(metafile.outputs).flatMap(([name, { inputs }]) =>
    Object.entries(inputs)
      .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
      .map(([path, { bytesInOutput: bytes }]) => ({ path, bytes, isStatic: statics.has(name) })),
  )
}

/** `@aws-sdk/client-dynamodb` of a path in node_modules; `tenure` of a path in functions. */
export function packageOf(path: string): string {
  const [, name] = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path) ?? []
  return name ?? (path.startsWith('functions/') ? 'tenure' : 'the handler')
}
