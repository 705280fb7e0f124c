// @ts-nocheck
import { expect, it } from 'vitest'
import { judge, type StrykerReport } from './mutants.ts'

const source = 'export const late = (now: number, end: number) => now > end\nexport const both =\n  a &&\n  b\n'
const SURVIVOR = 'late.ts: now > end → now >= end'

type Mutant = StrykerReport['files'][string]['mutants'][number]
const WHERE = { start: { line: 1, column: 51 }, end: { line: 1, column: 60 } }
const OF_TWO_LINES = { start: { line: 3, column: 3 }, end: { line: 4, column: 4 } }
const made = (status: string, times = 1, replacement = 'now >= end', location = WHERE): Mutant[] =>
  Array.from({ length: times }, () => ({ status, replacement, location }))
const judged = (mutants: readonly Mutant[], reasons = 0) =>
  judge(
    { files: { 'functions/election/late.ts': { source, mutants } } },
    { 'the same in the end': Array<string>(reasons).fill(SURVIVOR) },
  )

it('names a mutant by its code, of several lines too, and not by its place', () => {
  const { failures } = judged([...made('Killed', 99), ...made('Survived', 1, 'a ||\n  b', OF_TWO_LINES)])
  expect(failures).toEqual(['survived without a reason: late.ts: a && b → a || b'])
})

it('counts a mutant without cover as a survivor, an endless one as killed, and an ignored one not at all', () => {
  const mutants = ['Killed', 'Timeout', 'Survived', 'NoCoverage', 'Ignored'].flatMap((status) => made(status))
  expect(judged(mutants).figures).toMatchObject([{ killed: 2, survived: 2, 'killed of 100': '50.00' }])
})

it.each<[string, number, number, number, string[]]>([
  ['97 of 100 are killed and each survivor has a reason', 97, 3, 3, []],
  ['fewer are killed', 96, 4, 4, ['96.00 of 100 mutants are killed, 97 are required']],
  ['a survivor has no reason, but its twin has one', 98, 2, 1, [`survived without a reason: ${SURVIVOR}`]],
  ['no mutant was made', 0, 0, 0, ['NaN of 100 mutants are killed, 97 are required']],
])('judges that %s', (_, killed, survived, reasons, failures) => {
  expect(judged([...made('Killed', killed), ...made('Survived', survived)], reasons).failures).toEqual(failures)
})
