/** A small EventBridge Scheduler: when its schedules occur, and which event each occurrence sends. */
// @ts-nocheck

import { randomUUID } from 'node:crypto'
import type { LambdaFunction } from '../lambda-host/lambda-function.ts'
import { type Schedule, TemplateError } from './assembly.ts'

export type Candidate = ReturnType<typeof candidatesOf>[number]

/**
 * Without the schedules of functions that know the lease table, but lead no lease: those check what others did.
 * @throws TemplateError if a schedule's target does not run here, or if the schedules differ in their period
 */
export function candidatesOf(declared: readonly Schedule[], functions: readonly LambdaFunction[]) {
  const checks = functions.filter(({ environment: { LEASE_TABLE, LEASE_NAME } }) => LEASE_TABLE && !LEASE_NAME)
  const schedules = declared.filter(({ targetArn }) => !checks.some(({ arn }) => arn === targetArn))
  const [first] = schedules
  if (first === undefined) throw new TemplateError('The stacks declare no schedule')
  return schedules.map((schedule) => {
    const lambda = functions.find(({ arn }) => arn === schedule.targetArn)
    if (lambda === undefined) {
      throw new TemplateError(`${schedule.name}: its target is not a function of the stacks: ${schedule.targetArn}`)
    }
    if (schedule.periodMs !== first.periodMs) {
      throw new TemplateError(`${schedule.name} and ${first.name}: all schedules must have the same period to run here`)
    }
    return { schedule, lambda }
  })
}

/** The candidate of this number, from 1: one that the stacks declare, or beyond them a copy of the first. */
export function nthCandidate(declared: readonly Candidate[], number: number): Candidate {
  const [first] = declared
  const known = declared[number - 1]
  if (known !== undefined) return known
  if (first === undefined) throw new TemplateError('The stacks declare no schedule')
  const { name, arn, input } = first.schedule
  const renamed = (text: string) => text.replaceAll(name, `${name.replace(/-1$/, '')}-${number}`)
  return { ...first, schedule: { ...first.schedule, name: renamed(name), arn: renamed(arn), input: renamed(input) } }
}

/**
 * The event of one occurrence. Scheduler writes the scheduled time without milliseconds.
 * Source: https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html
 *
 * @throws TemplateError if the schedule's input is not JSON
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
