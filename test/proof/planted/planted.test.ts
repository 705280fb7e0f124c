import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { CLAIMS } from '../claims.ts'
import { withBug } from './bug.ts'
import { BUGS } from './bugs.ts'

const ROOT = join(import.meta.dirname, '../../..')
const HOOK = join(import.meta.dirname, 'hook.ts')

describe('the planted bugs', () => {
  it.each(BUGS.map((bug) => [bug.name, bug] as const))(
    '%s: each edit finds its place in the shipped code',
    (_name, bug) => {
      for (const file of new Set(bug.edits.map((edit) => edit.file))) {
        const source = readFileSync(join(ROOT, file), 'utf8')
        expect(withBug(bug, file, source)).not.toBe(source)
      }
    },
  )

  it.each(Object.keys(CLAIMS))('break %s, among others', (claim) => {
    expect(BUGS.filter(({ claims }) => claims.some((broken) => broken === claim))).not.toEqual([])
  })

  it('have names of their own', () => {
    expect(new Set(BUGS.map(({ name }) => name)).size).toBe(BUGS.length)
  })
})

describe('planting', () => {
  const edit = { file: 'a.ts', find: 'b', replace: 'c' }
  const bug = { name: 'b for c', why: '', claims: [], edits: [edit] }

  it('changes nothing but what it finds', () => {
    expect(withBug(bug, 'a.ts', 'const a = b')).toBe('const a = c')
    expect(withBug(bug, 'other.ts', 'const a = b')).toBe('const a = b')
  })

  it.each(['const a = 1', 'const b = b'])('is refused where its text is not there exactly once: %s', (source) => {
    expect(() => withBug(bug, 'a.ts', source)).toThrow(/"b for c" cannot be planted: its text occurs [02] times/)
  })

  it('is refused where what comes out is no TypeScript', () => {
    expect(() => withBug({ ...bug, edits: [{ ...edit, replace: '{{' }] }, 'a.ts', 'const a = b')).toThrow()
  })

  const isDone = (env: Record<string, string>) => {
    const script = `const { acquire } = await import('./functions/election/rules.ts')
      const row = { lease: 'x', fencingToken: 1, attempt: 'a', acquiredAtMs: 0, expiresAtMs: 0, writtenAtMs: 0, step: 0, completedTick: 't2' }
      console.log(acquire(row, { lease: 'x', candidate: 'c', attempt: 'b', tick: 't1', nowMs: 5000, expiresAtMs: 9000, maxClockSkewMs: 0 }).granted)`
    const args = ['--import', HOOK, '--input-type=module', '--eval', script]
    return promisify(execFile)(process.execPath, args, { cwd: ROOT, env: { ...process.env, ...env } })
  }

  it('is done while the code is loaded, and only then', async () => {
    const [right, wrong] = await Promise.all([isDone({}), isDone({ TENURE_BUG: 'A2 as equality' })])
    expect([right.stdout, wrong.stdout]).toEqual(['false\n', 'true\n'])
  })

  it('fails loudly where there is no such bug', async () => {
    await expect(isDone({ TENURE_BUG: 'none' })).rejects.toThrow(/There is no bug named "none"/)
  })
})
