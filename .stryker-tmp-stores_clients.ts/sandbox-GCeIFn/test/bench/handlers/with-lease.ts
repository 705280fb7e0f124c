// @ts-nocheck
import { withLease } from '../../../functions/election/index.ts'
import type { InvocationContext } from '../../../functions/election/invocation.ts'
import type { BenchEvent } from './event.ts'

export const handler = ({ tick, lease, task }: BenchEvent, context: InvocationContext) =>
  withLease({ tick, context, ...(lease === undefined ? {} : { lease }) }, () => task?.())
