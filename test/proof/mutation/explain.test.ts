import { describe, expect, it } from 'vitest'
import { explain } from './explain.ts'
import { mutantsOf, type StrykerReport, scoreOf } from './report.ts'

const SOURCE = `export const late = (now: number, end: number) => now > end
export const both = (a: boolean, b: boolean) =>
  a &&
  b
`
/** A mutant of SOURCE, at a place in it. */
const mutant = (status: string, replacement: string, line: number, from: number, to: number, lastLine = line) => ({
  mutatorName: 'Made up',
  status,
  replacement,
  location: { start: { line, column: from }, end: { line: lastLine, column: to } },
})
const reportOf = (...mutants: readonly ReturnType<typeof mutant>[]): StrykerReport => ({
  files: { 'late.ts': { source: SOURCE, mutants } },
})

const SURVIVOR = mutant('Survived', 'now >= end', 1, 51, 60)
const EXPLAINED = {
  file: 'late.ts',
  line: 'export const late = (now: number, end: number) => now > end',
  original: 'now > end',
  replacement: 'now >= end',
}

describe('a mutant', () => {
  it('is told by its code, of several lines too, and not by where that stands', () => {
    expect(mutantsOf(reportOf(SURVIVOR, mutant('Killed', 'a ||\n  b', 3, 3, 4, 4)))).toEqual([
      { ...EXPLAINED, lineNumber: 1, verdict: 'survived' },
      { file: 'late.ts', line: 'a &&', original: 'a && b', replacement: 'a || b', lineNumber: 3, verdict: 'found' },
    ])
  })

  it('that nobody covers has survived, one that never ended was found, one that is ignored counts for nothing', () => {
    const statuses = ['Killed', 'Timeout', 'Survived', 'NoCoverage', 'Ignored']
    const mutants = mutantsOf(reportOf(...statuses.map((status) => mutant(status, '', 1, 1, 2))))
    expect(scoreOf(mutants)).toEqual({ found: 2, survived: 2, ignored: 1, percent: 50 })
  })

  it('that was not judged is no result', () => {
    expect(() => mutantsOf(reportOf(mutant('Pending', '', 1, 1, 2)))).toThrow(/Pending/)
  })
})

describe('a survivor', () => {
  const judged = (...mutants: readonly ReturnType<typeof mutant>[]) => mutantsOf(reportOf(...mutants))
  const reason = 'the same in the end'

  it('has its reason where all of its code is as explained', () => {
    const { explained, unexplained } = explain(judged(SURVIVOR), [{ reason, mutants: [EXPLAINED] }])
    expect(explained).toMatchObject([{ mutant: EXPLAINED, reason }])
    expect(unexplained).toEqual([])
  })

  it.each(['file', 'line', 'original', 'replacement'] as const)('has none where the %s is another', (name) => {
    const other = { ...EXPLAINED, [name]: 'another' }
    const { unexplained, outdated } = explain(judged(SURVIVOR), [{ reason, mutants: [other] }])
    expect(unexplained).toMatchObject([EXPLAINED])
    expect(outdated).toEqual([other])
  })

  it('has none where the reason was that of its twin', () => {
    const { explained, unexplained } = explain(judged(SURVIVOR, SURVIVOR), [{ reason, mutants: [EXPLAINED] }])
    expect([explained.length, unexplained.length]).toEqual([1, 1])
  })

  it('that is found meanwhile leaves its explanation outdated', () => {
    const { outdated } = explain(judged({ ...SURVIVOR, status: 'Killed' }), [{ reason, mutants: [EXPLAINED] }])
    expect(outdated).toEqual([EXPLAINED])
  })
})
