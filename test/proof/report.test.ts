import { describe, expect, it } from 'vitest'
import { CLAIMS } from './claims.ts'
import type { Part } from './part.ts'
import { holds, report, unseen } from './report.ts'

const circumstances = { commit: 'abc1234', date: '2026-11-21', machine: '2 cores', command: 'npm run prove' }
const model: Part = {
  title: 'Model',
  rerun: 'npm run model',
  passed: true,
  seconds: 123.4,
  summary: 'Explored 5,000,000 states.',
  tables: [{ caption: 'Moves', columns: ['move', 'taken'], rows: [['crash', 1234567]] }],
  notes: ['One row at a time.'],
  failures: [],
  seenToBreak: [{ claim: 'S1', how: 'clocks beyond the budget' }],
}
const failing: Part = {
  ...model,
  title: 'Simulation',
  passed: false,
  failures: [{ claim: 'S4', what: 'tick 3 ran | twice', trace: ['ann wins', 'bob wins\ntoo'] }],
}
const broken = { title: 'Nemesis', rerun: 'npm run nemesis', seconds: 1, exitCode: 2 }

describe('the report of a proof', () => {
  it('says of each part whether it holds, how long it took and how to repeat it', () => {
    expect(report([model], circumstances)).toContain('| Model | holds | 2 min 3 s | `npm run model` |')
    expect(report([model], circumstances)).toContain('Every claim held')
  })

  it('names the claim that broke and the steps that led there, each on a line of its own', () => {
    const text = report([model, failing], circumstances)
    expect(text).toContain('**Not proven:** Simulation failed')
    expect(text).toContain('**S4 is broken:** tick 3 ran | twice\n\n1. ann wins\n2. bob wins too')
  })

  it('counts a part without a report as failed', () => {
    expect(holds([model])).toBe(true)
    expect(holds([model, broken])).toBe(false)
    expect(holds([model, failing])).toBe(false)
    expect(report([broken], circumstances)).toContain('without a report: nothing was shown')
  })

  it('tells for every claim what was seen to break it, or that nothing was', () => {
    const text = report([model], circumstances)
    expect(text).toContain(`| S1 | ${CLAIMS.S1} | clocks beyond the budget |`)
    expect(text).toContain(`| S5 | ${CLAIMS.S5} | **by nothing** |`)
    expect(unseen([model])).toEqual(['S2', 'S3', 'S4', 'S5', 'S6', 'L1', 'L2', 'L3'])
  })

  it('aligns columns of numbers to the right, with thousands set apart', () => {
    expect(report([model], circumstances)).toContain('| move | taken |\n|---|--:|\n| crash | 1,234,567 |')
  })
})
