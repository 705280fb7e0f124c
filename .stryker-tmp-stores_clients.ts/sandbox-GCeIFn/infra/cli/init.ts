/** `tenure init`: writes the folder `template` as a project of the user's. */
// @ts-nocheck

import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { findPackageJSON } from 'node:module'
import { basename, dirname, join, relative, resolve } from 'node:path'

const TEMPLATE = join(import.meta.dirname, 'template')
/** A folder that has only these is as good as empty. */
const IGNORED = ['.git', '.DS_Store']
const TYPESCRIPT_ONLY = ['typescript', '@types/node']

const manifest: { readonly version: string } = JSON.parse(readFileSync(findPackageJSON(import.meta.url) ?? '', 'utf8'))
export const VERSION = manifest.version

export interface InitOptions {
  readonly javascript: boolean
}

/**
 * @returns what was written and what to do next, for the terminal
 * @throws Error that says why nothing was written
 */
export function init(folder: string, { javascript }: InitOptions): string {
  const directory = resolve(folder)
  refuseUnlessEmpty(directory, folder)
  for (const [file, text] of projectFiles(nameOf(directory), javascript)) {
    const path = join(directory, file)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text, { flag: 'wx' })
  }
  return nextSteps(folder, javascript ? 'js' : 'ts')
}

function refuseUnlessEmpty(directory: string, folder: string): void {
  const found = statSync(directory, { throwIfNoEntry: false })
  if (found === undefined) return
  if (!found.isDirectory()) throw new Error(`${folder} is a file, not a folder. Give a new or empty folder`)
  const entries = readdirSync(directory).filter((entry) => !IGNORED.includes(entry))
  if (entries.length === 0) return
  const shown = entries.slice(0, 3).join(', ') + (entries.length > 3 ? ', …' : '')
  throw new Error(`The folder ${folder} is not empty: it has ${shown}. Give a new or empty folder: tenure init job`)
}

/** An npm package name. */
function nameOf(directory: string): string {
  const name = basename(directory)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
  return name.replace(/^-|-$/g, '') || 'job'
}

/** Paths inside the project, and texts. */
function projectFiles(name: string, javascript: boolean): ReadonlyMap<string, string> {
  const files = new Map<string, string>()
  for (const entry of readdirSync(TEMPLATE, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    const text = readFileSync(path, 'utf8')
    files.set(relative(TEMPLATE, path), entry.name === 'package.json' ? manifestOf(text, name, javascript) : text)
  }
  // npm packs no file named .gitignore.
  files.set('.gitignore', files.get('gitignore') ?? '')
  files.delete('gitignore')
  if (!javascript) return files
  files.delete('tsconfig.json')
  return new Map([...files].map(([file, text]) => [inJavaScript(file), inJavaScript(text)]))
}

/** All that the template has of TypeScript. Node's own `stripTypeScriptTypes` warns that it is experimental. */
const inJavaScript = (text: string): string =>
  text
    .replace(/(?<=\w)\.ts\b/g, '.js')
    .replace(/\btype \w+, /g, '')
    .replace(': LeaderHandler', '')

function manifestOf(text: string, name: string, javascript: boolean): string {
  const manifest: Manifest = JSON.parse(text)
  manifest.name = name
  manifest.dependencies['tenure'] = `^${VERSION}`
  if (javascript) {
    delete manifest.scripts['check']
    for (const dependency of TYPESCRIPT_ONLY) delete manifest.devDependencies[dependency]
  }
  return `${JSON.stringify(manifest, null, 2)}\n`
}

interface Manifest {
  name: string
  readonly scripts: Record<string, string>
  readonly dependencies: Record<string, string>
  readonly devDependencies: Record<string, string>
}

function nextSteps(folder: string, extension: string): string {
  const isHere = resolve(folder) === process.cwd()
  const into = /^[\w./-]+$/.test(folder) ? folder : `'${folder.replaceAll("'", `'\\''`)}'`
  return `A project in ${isHere ? 'this folder' : folder}:
  functions/write-report.${extension}   the function; it runs in the leader alone
  test/write-report.test.${extension}   its test
  infra/app.${extension}                its stack: tables and an hourly schedule

Next:
${isHere ? '' : `  cd ${into}\n`}  npm install
  npm test
  npm start        runs the function here, with a page to break its election
  npx cdk synth    shows the stack as CloudFormation
`
}
