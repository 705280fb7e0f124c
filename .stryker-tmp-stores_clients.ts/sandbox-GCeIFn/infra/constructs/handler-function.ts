// @ts-nocheck
import { createRequire } from 'node:module'
import { extname, join } from 'node:path'
import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib'
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { Architecture, LoggingFormat, Runtime } from 'aws-cdk-lib/aws-lambda'
import { type BundlingOptions, NodejsFunction, OutputFormat } from 'aws-cdk-lib/aws-lambda-nodejs'
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs'
import type { Construct } from 'constructs'
import { refuse } from './configuration.ts'
import * as prop from './prop-rules.ts'

export interface HandlerFunctionProps {
  /**
   * The module that exports `handler`: an absolute path, or a path from the app's working directory. It is bundled as
   * an ES module, so `exports.handler` of CommonJS is refused.
   */
  readonly entry: string
  /** @default none */
  readonly description?: string | undefined
  /** @default Duration.seconds(30) */
  readonly timeout?: Duration | undefined
  /** In MiB; it also determines the share of a processor. @default 512 */
  readonly memorySize?: number | undefined
  /** Environment variables. `NODE_OPTIONS` also gets `--enable-source-maps`. @default none */
  readonly environment?: Readonly<Record<string, string>> | undefined
}

/** The props besides `entry`. */
export const HANDLER_OPTIONS: prop.Rules = {
  description: prop.text,
  timeout: prop.duration,
  memorySize: prop.number,
  environment: {
    expected: 'an object of texts',
    accepts: (value) =>
      prop.isObject(value) && Object.values(value).every((of) => of === undefined || prop.text.accepts(of)),
  },
}

/** Long enough for most tasks; Lambda's default is 3 s. */
export const DEFAULT_TIMEOUT = Duration.seconds(30)

/**
 * A Node.js function with a pinned runtime, a bundled module, and JSON logs in its own log group. Until it is granted
 * more, its role may only write to that log group.
 *
 * What the module imports by `import()` becomes files of its own in the bundle. A standby never reads them if the
 * handler imports its task that way: `.handler(async (event, context) => (await import('./task.ts')).run(context))`.
 * A module that both parts use is evaluated first, before other modules of the handler. Tenure itself imports on
 * demand: what it shares with the handler is evaluated even before a leading `import './instrument.ts'`.
 */
export class HandlerFunction extends NodejsFunction {
  /** @throws ConfigurationError for an unknown or wrong prop, or a module without the export `handler` */
  constructor(scope: Construct, id: string, props: HandlerFunctionProps) {
    prop.refuseWrong(scope, props, { entry: prop.required(prop.text), ...HANDLER_OPTIONS })
    const { entry, description, timeout = DEFAULT_TIMEOUT, memorySize = 512, environment } = props
    if (Stack.of(scope).bundlingRequired) refuse(scope, entryProblems(entry))
    const logGroup = new LogGroup(scope, `${id}Logs`, {
      retention: RetentionDays.THREE_MONTHS,
      removalPolicy: RemovalPolicy.DESTROY,
    })
    const role = new Role(scope, `${id}Role`, { assumedBy: new ServicePrincipal('lambda.amazonaws.com') })
    logGroup.grantWrite(role)

    super(scope, id, {
      ...(description === undefined ? {} : { description }),
      timeout,
      memorySize,
      // If the caller's options set it too, the last one counts.
      environment: {
        ...environment,
        NODE_OPTIONS: `--enable-source-maps ${environment?.['NODE_OPTIONS'] ?? ''}`.trim(),
      },
      entry,
      // NODEJS_LATEST depends on the Region and changes with the CDK's version.
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      role,
      logGroup,
      loggingFormat: LoggingFormat.JSON,
      bundling: {
        format: OutputFormat.ESM,
        mainFields: ['module', 'main'],
        target: 'node24',
        minify: true,
        sourceMap: true,
        sourcesContent: false,
        // CommonJS packages in the bundle call `require`, which an ECMAScript module does not have.
        banner: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
        // The runtime's SDK changes without a deployment. The bundled one is the one that was tested.
        bundleAwsSDK: true,
        ...splitting(),
      },
    })
  }
}

/**
 * Makes files of what is imported by `import()`. For them esbuild needs the directory of its output, which the CDK
 * gives to this hook alone, before it reads the arguments. `--outfile=` takes back the CDK's own.
 */
function splitting(): Pick<BundlingOptions, 'esbuildArgs' | 'commandHooks'> {
  const esbuildArgs: Record<string, string | boolean> = {
    '--splitting': true,
    '--outfile=': true,
    '--entry-names': 'index',
    '--out-extension:.js': '.mjs',
  }
  const beforeBundling = (_inputDir: string, outputDir: string): string[] => {
    esbuildArgs['--outdir'] = outputDir
    return []
  }
  return { esbuildArgs, commandHooks: { beforeBundling, beforeInstall: () => [], afterBundling: () => [] } }
}

/** The path of a handler of this package: TypeScript in a checkout, JavaScript in the published package. */
export function ownHandler(module: string): string {
  return join(import.meta.dirname, '../../functions', `${module}${extname(import.meta.filename)}`)
}

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
