// @ts-nocheck
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, test } from 'vitest'

/** What the files of a room may import, besides each other: other rooms, by the beginning of their path. */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  'functions/election': [],
  'functions/announce': ['functions/election'],
  'functions/widget': ['functions/election', 'functions/announce'],
  'functions/sandbox': ['functions/election'],
  'functions/billing': ['functions/election', 'functions/sandbox'],
  'infra/constructs': ['functions/election', 'functions/announce', 'functions/widget'],
  'infra/stacks': ['infra/constructs', 'functions'],
  'infra/app.ts': ['infra/stacks', 'infra/constructs'],
  'infra/programs': ['functions/election'],
  'infra/cli': ['functions/election', 'infra/programs', 'infra/local'],
  'infra/local': ['infra/programs', 'infra/constructs', 'infra/stacks', 'functions'],
}
/** Each room of the local run may import those before it. */
const LOCAL_ROOMS = [
  'lambda-host',
  'stack',
  'observe',
  'faults',
  'page',
  'run',
  'standing',
  'billing',
  'own-function',
  'cli',
].map((room) => `infra/local/${room}`)

const ROOT = join(import.meta.dirname, '..')
const FILES = globSync('{functions,infra}/**/*.ts', { cwd: ROOT })
const IMPORTS = new Map(FILES.map((file) => [file, importsOf(file)]))

/** Paths from the top of the repository; type imports included. */
function importsOf(file: string): readonly string[] {
  const source = readFileSync(join(ROOT, file), 'utf8')
  return [...source.matchAll(/(?:from|import)\s*\(?'(\.[^']+\.ts)'/g)].map(([, path = '']) =>
    normalize(join(dirname(file), path)),
  )
}

const isIn = (path: string, room: string) => path === room || path.startsWith(`${room}/`)
/** The room's imports from `within`, or from anywhere, that are from no allowed room. */
const wrongImports = (room: string, allowed: readonly string[], within = '') =>
  FILES.filter((file) => isIn(file, room)).flatMap((file) =>
    (IMPORTS.get(file) ?? [])
      .filter((path) => path.startsWith(within) && ![room, ...allowed].some((other) => isIn(path, other)))
      .map((path) => `${file} → ${path}`),
  )

describe('the arrows between rooms', () => {
  test('every file is in a room', () => {
    const rooms = Object.keys(ARROWS)
    expect(FILES.filter((file) => !rooms.some((room) => isIn(file, room)))).toEqual([])
    const loose = globSync('infra/local/*.ts', { cwd: ROOT })
    expect(loose).toEqual(['infra/local/start.ts'])
  })

  test.each(Object.entries(ARROWS))('%s imports only %j', (room, allowed) => {
    expect(wrongImports(room, allowed)).toEqual([])
  })

  test.each(LOCAL_ROOMS.map((room, index) => [room, LOCAL_ROOMS.slice(0, index)] as const))(
    '%s imports only the rooms before it: %j',
    (room, before) => {
      expect(wrongImports(room, before, 'infra/local/')).toEqual([])
    },
  )

  test('rules.ts imports nothing', () => {
    expect(IMPORTS.get('functions/election/rules.ts')).toEqual([])
  })

  test('no file imports itself by way of others', () => {
    expect(circles()).toEqual([])
  })
})

/** One path for each circle found, from a file back to itself. */
function circles(): readonly string[] {
  const found: string[] = []
  const done = new Set<string>()
  const visit = (file: string, path: readonly string[]) => {
    if (path.includes(file)) {
      found.push([...path.slice(path.indexOf(file)), file].join(' → '))
      return
    }
    if (done.has(file)) return
    for (const next of IMPORTS.get(file) ?? []) visit(next, [...path, file])
    done.add(file)
  }
  for (const file of FILES) visit(file, [])
  return found
}
