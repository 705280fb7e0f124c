/** A small EventBridge Scheduler: when its schedules occur, and the event that each occurrence sends. */
import { randomUUID } from 'node:crypto'
import { TemplateError } from './intrinsics.ts'
import type { LambdaFunction, Schedule } from './template.ts'

/** A schedule and the function that it fires. */
export interface Candidate {
  readonly schedule: Schedule
  readonly lambda: LambdaFunction
}

/** @throws TemplateError where a schedule fires nothing that runs here, or where schedules differ in their period. */
export function candidatesOf(
  schedules: readonly Schedule[],
  functions: readonly LambdaFunction[],
): readonly Candidate[] {
  const [first] = schedules
  if (first === undefined) throw new TemplateError('The stacks declare no schedule, so nothing would ever run')
  return schedules.map((schedule) => {
    const lambda = functions.find(({ arn }) => arn === schedule.targetArn)
    if (lambda === undefined) {
      throw new TemplateError(`${schedule.name}: its target is no function of the stacks: ${schedule.targetArn}`)
    }
    if (schedule.periodMs !== first.periodMs) {
      throw new TemplateError(`${schedule.name} and ${first.name}: all schedules must have the same period to run here`)
    }
    return { schedule, lambda }
  })
}

/** The candidate of this number, from 1: one that the stacks declare, or, beyond them, one like their first. */
export function nthCandidate(declared: readonly Candidate[], number: number): Candidate {
  const [first] = declared
  const known = declared[number - 1]
  if (known !== undefined) return known
  if (first === undefined) throw new TemplateError('The stacks declare no schedule')
  const { name } = first.schedule
  const renamed = (text: string) => text.replaceAll(name, `${name.replace(/-1$/, '')}-${number}`)
  const { arn, input } = first.schedule
  return { ...first, schedule: { ...first.schedule, name: renamed(name), arn: renamed(arn), input: renamed(input) } }
}

/**
 * The first tick of a run, in epoch milliseconds: the earliest due instant, floored to the period. Ticks of the future
 * are refused by the protocol, so where nothing is due yet it is the last full period.
 */
export function firstTickMs(earliestDueMs: number, periodMs: number, nowMs: number): number {
  return Math.floor(Math.min(earliestDueMs, nowMs) / periodMs) * periodMs
}

/**
 * The event of one occurrence. Scheduler writes the scheduled time with seconds and without milliseconds.
 * Source: https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html
 */
export function eventOf(schedule: Schedule, scheduledMs: number): unknown {
  const attributes = new Map([
    ['schedule-arn', schedule.arn],
    ['scheduled-time', new Date(scheduledMs).toISOString().replace('.000Z', 'Z')],
    ['execution-id', randomUUID()],
    ['attempt-number', '1'],
  ])
  const text = schedule.input.replace(/<aws\.scheduler\.([a-z-]+)>/g, (whole, name) => attributes.get(name) ?? whole)
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new TemplateError(`${schedule.name}: its input is not JSON: ${text}`, { cause })
  }
}
