// @ts-nocheck
import middy from '@middy/core'
import { type LeaderHandler, leaderOnly } from '../../../functions/election/index.ts'
import type { BenchEvent } from './event.ts'

export const handler: LeaderHandler<void, BenchEvent> = middy()
  .use(leaderOnly<BenchEvent>())
  .handler(async ({ task }) => await task?.())
