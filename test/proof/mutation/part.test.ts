import { expect, it } from 'vitest'
import { partOf } from './part.ts'
import type { StrykerReport } from './report.ts'

const SOURCE = 'export const ALWAYS = true\n'
/** A file with so many mutants that were found, and so many that survived. */
const reportOf = (found: number, survived: number): StrykerReport => ({
  files: {
    'always.ts': {
      source: SOURCE,
      mutants: [...Array(found).fill('Killed'), ...Array(survived).fill('Survived')].map((status: string) => ({
        mutatorName: 'BooleanLiteral',
        replacement: 'false',
        status,
        location: { start: { line: 1, column: 23 }, end: { line: 1, column: 27 } },
      })),
    },
  },
})
const survivor = { file: 'always.ts', line: SOURCE.trim(), original: 'true', replacement: 'false' }
const run = { rerun: 'npm run mutate', seconds: 1 }
const explained = (times: number) => [{ reason: 'nobody reads it', mutants: Array(times).fill(survivor) }]

it('passes where nine of ten mutants are found and each survivor has a reason', () => {
  const part = partOf(reportOf(9, 1), explained(1), run)
  expect(part).toMatchObject({ passed: true, failures: [], summary: expect.stringMatching(/^9 of 10 .* 90\.00 %/) })
  expect(part.tables[0]?.rows).toEqual([['always.ts', 9, 1, 0, '90.00']])
  expect(part.tables[1]?.rows).toEqual([['always.ts:1', 'true → false', 'nobody reads it']])
})

it('fails where fewer are found, whatever the reasons', () => {
  const { passed, failures } = partOf(reportOf(8, 1), explained(1), run)
  expect(passed).toBe(false)
  expect(failures).toMatchObject([{ what: expect.stringContaining('88.89') }])
})

it('fails where nobody has explained a survivor, and shows it', () => {
  const { passed, failures } = partOf(reportOf(99, 1), [], run)
  expect(passed).toBe(false)
  expect(failures).toMatchObject([
    { what: expect.stringContaining('always.ts:1'), trace: ['true → false', expect.any(String)] },
  ])
})

it('names explanations that nothing needs any more', () => {
  expect(partOf(reportOf(1, 0), explained(1), run).notes.join()).toMatch(
    /take it off the list: always\.ts, true → false/,
  )
})
