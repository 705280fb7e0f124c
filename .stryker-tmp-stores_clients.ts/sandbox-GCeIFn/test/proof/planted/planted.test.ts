// @ts-nocheck
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { CLAIMS } from '../claims.ts'
import { withBug } from './bug.ts'
import { BUGS } from './bugs.ts'

it.each(BUGS.map((bug) => [bug.name, bug] as const))('%s: each edit has its place in the shipped code', (_, bug) => {
  for (const file of new Set(bug.edits.map((edit) => edit.file))) {
    const source = readFileSync(join(import.meta.dirname, '../../..', file), 'utf8')
    expect(withBug(bug, file, source)).not.toBe(source)
  }
})

it('every claim has a bug that breaks it, and every bug has a name of its own', () => {
  expect([...new Set(BUGS.flatMap(({ claims }) => claims))].toSorted()).toEqual(Object.keys(CLAIMS).toSorted())
  expect(new Set(BUGS.map(({ name }) => name)).size).toBe(BUGS.length)
})
