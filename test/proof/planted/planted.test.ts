import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { CLAIMS } from '../claims.ts'
import { withBug } from './bug.ts'
import { BUGS } from './bugs.ts'

const ROOT = join(import.meta.dirname, '../../..')
const HOOK = join(import.meta.dirname, 'hook.ts')

describe('the planted bugs', () => {
  it.each(BUGS.map((bug) => [bug.name, bug] as const))('%s: each edit has its place in the shipped code', (_, bug) => {
    for (const file of new Set(bug.edits.map((edit) => edit.file))) {
      const source = readFileSync(join(ROOT, file), 'utf8')
      expect(withBug(bug, file, source)).not.toBe(source)
    }
  })

  it('break every claim, and have unique names', () => {
    expect([...new Set(BUGS.flatMap(({ claims }) => claims))].toSorted()).toEqual(Object.keys(CLAIMS).toSorted())
    expect(new Set(BUGS.map(({ name }) => name)).size).toBe(BUGS.length)
  })
})

describe('planting', () => {
  const SOURCE = [
    'const a = 1\n\nclass Pair {\n  b() {\n    return 1\n  }\n\n  c(\n    d = 2,\n  ) {\n    return d\n  }\n}',
    '\nexport async function b() {\n  return a\n}\n',
  ].join('\n')
  const planted = (name: string, find: string, replace: string, source = SOURCE) =>
    withBug(
      { name: 'x', why: '', claims: [], edits: [{ file: 'a.ts', function: name, find, replace }] },
      'a.ts',
      source,
    )

  it.each([
    ['a', '1', '2', 'const a = 2'],
    ['b', 'return a', 'return 2', 'b() {\n  return 2'],
    ['Pair.b', '1', '2', 'b() {\n    return 2'],
    ['Pair.c', 'return d', 'return 2', ') {\n    return 2'],
  ])('changes %s alone', (name, find, replace, after) => {
    const before = after.replace(replace, () => find)
    expect(planted(name, find, replace)).toBe(SOURCE.replace(before, () => after))
  })

  it.each([
    ['the function is missing', 'e', '1', '2', /x.* into e of a\.ts: it is declared 0 times/],
    ['the method is missing', 'Pair.a', '1', '2', /into Pair\.a of a\.ts: it is declared 0 times/],
    ['the text is elsewhere', 'b', '1', '2', /the text occurs 0 times/],
    ['the text is there twice', 'Pair.c', 'd', 'e', /the text occurs 2 times/],
    ['the result is no TypeScript', 'a', '1', '{{', /./],
  ])('fails if %s', (_, name, find, replace, message) => {
    expect(() => planted(name, find, replace)).toThrow(message)
  })

  const isTickGranted = (env: Record<string, string>) => {
    const script = `const { acquireConditions } = await import('./functions/election/rules.ts')
      console.log(acquireConditions({ completedTick: 't2' }, { tick: 't1' }).tickNotDone)`
    const args = ['--import', HOOK, '--input-type=module', '--eval', script]
    return execFileSync(process.execPath, args, {
      cwd: ROOT,
      env: { ...process.env, ...env },
      encoding: 'utf8',
      stdio: 'pipe',
    })
  }

  it('happens while the code is loaded, and only if a bug is named', () => {
    expect(isTickGranted({})).toBe('false\n')
    expect(isTickGranted({ PLANTED_BUG: 'A2 as equality' })).toBe('true\n')
    expect(() => isTickGranted({ PLANTED_BUG: 'none' })).toThrow(/There is no bug named "none"/)
  })
})
