import { expect, it } from 'vitest'
import { judge, type StrykerReport } from './mutants.ts'

const SOURCE = 'export const late = (now: number, end: number) => now > end\nexport const both =\n  a &&\n  b\n'
const SURVIVOR = 'late.ts: now > end → now >= end'

const mutant = (status: string, replacement = 'now >= end', lines = [1, 1], columns = [51, 60]) => ({
  status,
  replacement,
  location: {
    start: { line: lines[0] ?? 0, column: columns[0] ?? 0 },
    end: { line: lines[1] ?? 0, column: columns[1] ?? 0 },
  },
})
const reportOf = (...mutants: readonly ReturnType<typeof mutant>[]): StrykerReport => ({
  files: { 'functions/election/late.ts': { source: SOURCE, mutants } },
})
const statuses = (status: string, times: number) => Array.from({ length: times }, () => mutant(status))
const explained = (times: number) => ({ 'the same in the end': Array<string>(times).fill(SURVIVOR) })

it('names a mutant by its code, of several lines too, and not by its place', () => {
  const { failures } = judge(reportOf(mutant('Survived', 'a ||\n  b', [3, 4], [3, 4]), ...statuses('Killed', 99)), {})
  expect(failures).toEqual(['survived without a reason: late.ts: a && b → a || b'])
})

it('counts a mutant without cover as a survivor, an endless one as killed, and an ignored one not at all', () => {
  const report = reportOf(...['Killed', 'Timeout', 'Survived', 'NoCoverage', 'Ignored'].map((status) => mutant(status)))
  expect(judge(report, {}).figures).toMatchObject([{ killed: 2, survived: 2, 'killed of 100': '50.00' }])
})

it.each<[string, number, number, number, string[]]>([
  ['97 of 100 are killed and each survivor has a reason', 97, 3, 3, []],
  ['fewer are killed', 96, 4, 4, ['96.00 of 100 mutants are killed, 97 are required']],
  ['a survivor has no reason, but its twin has one', 98, 2, 1, [`survived without a reason: ${SURVIVOR}`]],
  ['no mutant was made', 0, 0, 0, ['NaN of 100 mutants are killed, 97 are required']],
])('judges that %s', (_, killed, survived, reasons, failures) => {
  const report = reportOf(...statuses('Killed', killed), ...statuses('Survived', survived))
  expect(judge(report, explained(reasons)).failures).toEqual(failures)
})
