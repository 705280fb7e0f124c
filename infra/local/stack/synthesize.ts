/**
 * Synthesizes the CDK app of `cdk.json` for a run on this machine, as `cdk synth` does, and reads what its stacks declare.
 *
 * The app is run directly, with the two variables that the CDK's command line would give it: that saves the second
 * and a half that the command line itself takes.
 */
import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'
import { LastLines } from '../../programs/text.ts'
import { exitOf, guard, signalGroup } from '../../programs/watchdog.ts'
import { isObject, type Json, type JsonObject, type Resource, type Stack, TemplateError } from './intrinsics.ts'
import { type Declared, readStack } from './template.ts'

export interface Synthesis {
  /** The command of the app, as in `cdk.json`. */
  readonly app: string
  /** An empty directory, which must stay as long as the functions run: their code is in it. */
  readonly directory: string
  readonly context: Readonly<Record<string, Json>>
  /** Ends the app early. */
  readonly signal?: AbortSignal | undefined
}

export interface Assembly {
  readonly directory: string
  readonly stacks: readonly { readonly id: string; readonly templateFile: string }[]
}

/** The command that makes the app, from `cdk.json` in the project's root. */
export async function appCommand(root: string): Promise<string> {
  const config = await readJson(join(root, 'cdk.json'))
  if (typeof config['app'] !== 'string') throw new TemplateError('cdk.json names no app')
  return config['app']
}

/** @throws Error with what the app said, where it fails. */
export async function synthesize({ app, directory, context, signal }: Synthesis, root: string): Promise<Assembly> {
  signal?.throwIfAborted()
  // The app's `node` is this one, whatever the PATH says.
  const PATH = `${dirname(process.execPath)}${delimiter}${process.env['PATH'] ?? ''}`
  const env = { ...process.env, PATH, CDK_OUTDIR: directory, CDK_CONTEXT_JSON: JSON.stringify(context) }
  const child = spawn(app, { shell: true, cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  guard(child)
  const killGroup = () => signalGroup(child, 'SIGKILL')
  signal?.addEventListener('abort', killGroup, { once: true })
  const said = new LastLines([child.stdout, child.stderr], KEPT_LINES)
  const { code } = await exitOf(child)
  signal?.removeEventListener('abort', killGroup)
  signal?.throwIfAborted()
  if (code !== 0) throw new Error(`The app could not be synthesized (${app}):\n${readable(said.read())}`)
  const artifacts = (await readJson(join(directory, 'manifest.json')))['artifacts'] ?? {}
  const stacks = Object.entries(isObject(artifacts) ? artifacts : {}).flatMap(([id, artifact]) => {
    const properties = isObject(artifact) ? artifact['properties'] : undefined
    const templateFile = isObject(properties) ? properties['templateFile'] : undefined
    const isStack = isObject(artifact) && artifact['type'] === 'aws:cloudformation:stack'
    return isStack && typeof templateFile === 'string' ? [{ id, templateFile }] : []
  })
  return { directory, stacks }
}

const KEPT_LINES = 100

/** The last lines, without the minified source lines that Node quotes. */
const readable = (said: readonly string[]) =>
  said
    .filter((line) => line.trim() !== '' && line.length < 500)
    .slice(-30)
    .join('\n')

export interface LocalNames {
  readonly region: string
  readonly account: string
  /** Distinguishes the names of this run's tables, should others use the same DynamoDB Local. */
  readonly runId: string
  readonly parameters: Readonly<Record<string, string>>
}

/** What all stacks of the assembly declare, with names for this machine. */
export async function readAssembly({ directory, stacks }: Assembly, names: LocalNames): Promise<Declared> {
  const declared = await Promise.all(
    stacks.map(async ({ id, templateFile }) => {
      const template = await readJson(join(directory, templateFile))
      const assets = await readJson(join(directory, `${id}.assets.json`))
      const stack: Stack = {
        name: `${id}-${names.runId}`,
        region: names.region,
        account: names.account,
        parameters: parametersOf(template, names.parameters),
        resources: resourcesOf(template),
      }
      return readStack(stack, (objectKey) => assetDirectory(directory, assets, objectKey))
    }),
  )
  return {
    tables: declared.flatMap(({ tables }) => tables),
    functions: declared.flatMap(({ functions }) => functions),
    schedules: declared.flatMap(({ schedules }) => schedules),
  }
}

function parametersOf(template: JsonObject, given: Readonly<Record<string, string>>): Record<string, Json> {
  const parameters = isObject(template['Parameters']) ? template['Parameters'] : {}
  return Object.fromEntries(
    Object.entries(parameters).flatMap(([name, parameter]) => {
      const value = given[name] ?? (isObject(parameter) ? parameter['Default'] : undefined)
      return value === undefined ? [] : [[name, value]]
    }),
  )
}

function resourcesOf(template: JsonObject): Record<string, Resource> {
  const resources = isObject(template['Resources']) ? template['Resources'] : {}
  return Object.fromEntries(
    Object.entries(resources).map(([id, resource]) => {
      const { Type: type, Properties: properties } = isObject(resource) ? resource : {}
      if (typeof type !== 'string') throw new TemplateError(`${id}: has no type`)
      return [id, { type, properties: isObject(properties) ? properties : {} }]
    }),
  )
}

function assetDirectory(directory: string, assets: JsonObject, objectKey: string): string | undefined {
  for (const file of Object.values(isObject(assets['files']) ? assets['files'] : {})) {
    const { source, destinations } = isObject(file) ? file : {}
    const path = isObject(source) && source['packaging'] === 'zip' ? source['path'] : undefined
    const isIt = Object.values(isObject(destinations) ? destinations : {}).some(
      (destination) => isObject(destination) && destination['objectKey'] === objectKey,
    )
    if (isIt && typeof path === 'string') return join(directory, path)
  }
  return undefined
}

async function readJson(file: string): Promise<JsonObject> {
  const value: Json = JSON.parse(await readFile(file, 'utf8'))
  if (!isObject(value)) throw new TemplateError(`${file} is not a JSON object`)
  return value
}
