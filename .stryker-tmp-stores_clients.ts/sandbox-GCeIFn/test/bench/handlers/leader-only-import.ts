// @ts-nocheck
import middy from '@middy/core'
import { type LeaderHandler, leaderOnly } from '../../../functions/election/index.ts'
import type { BenchEvent } from './event.ts'

/** A loser does not load the task. */
export const handler: LeaderHandler<void, BenchEvent> = middy()
  .use(leaderOnly<BenchEvent>())
  .handler(async (event) => (await import('./task.ts')).run(event))
