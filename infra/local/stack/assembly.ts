/** Reads what the stacks of a synthesized app declare. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isObject, type Json, type JsonObject, type Resource, TemplateError } from './intrinsics.ts'
import { type Declared, readStack } from './template.ts'

export interface LocalNames {
  readonly region: string
  readonly account: string
  /** Makes the names of this run's tables unique: other runs may use the same DynamoDB Local. */
  readonly runId: string
}

export async function readAssembly(directory: string, { region, account, runId }: LocalNames): Promise<Declared> {
  const artifacts = objectIn(await readJson(join(directory, 'manifest.json')), 'artifacts')
  const stacks = Object.entries(artifacts).filter(([, artifact]) => {
    return isObject(artifact) && artifact['type'] === 'aws:cloudformation:stack'
  })
  const declared = await Promise.all(
    stacks.map(async ([id, artifact]) => {
      const template = await readJson(join(directory, String(objectIn(artifact, 'properties')['templateFile'])))
      const assets = await readJson(join(directory, `${id}.assets.json`))
      const stack = { name: `${id}-${runId}`, region, account, resources: resourcesIn(template) }
      return readStack(stack, (objectKey) => assetDirectory(directory, assets, objectKey))
    }),
  )
  return {
    tables: declared.flatMap(({ tables }) => tables),
    functions: declared.flatMap(({ functions }) => functions),
    schedules: declared.flatMap(({ schedules }) => schedules),
  }
}

function objectIn(value: Json | undefined, key: string): JsonObject {
  const inner = isObject(value) ? value[key] : undefined
  return isObject(inner) ? inner : {}
}

function resourcesIn(template: JsonObject): Record<string, Resource> {
  const resources = Object.entries(objectIn(template, 'Resources')).map(([id, resource]) => {
    const type = isObject(resource) ? resource['Type'] : undefined
    if (typeof type !== 'string') throw new TemplateError(`${id}: has no type`)
    return [id, { type, properties: objectIn(resource, 'Properties') }] as const
  })
  return Object.fromEntries(resources)
}

function assetDirectory(directory: string, assets: JsonObject, objectKey: string): string | undefined {
  for (const file of Object.values(objectIn(assets, 'files'))) {
    const { packaging, path } = objectIn(file, 'source')
    const isIt = Object.values(objectIn(file, 'destinations')).some(
      (destination) => isObject(destination) && destination['objectKey'] === objectKey,
    )
    if (isIt && packaging === 'zip' && typeof path === 'string') return join(directory, path)
  }
  return undefined
}

/** @throws Error if the file cannot be read or is not a JSON object */
export async function readJson(file: string): Promise<JsonObject> {
  const value: Json = JSON.parse(await readFile(file, 'utf8'))
  if (!isObject(value)) throw new TemplateError(`${file} is not a JSON object`)
  return value
}
