// @ts-nocheck
import type { RunCoordinator, TaskContext } from 'node-cron'
import { acquireLease } from './acquire.ts'
import { LONGEST_TIMER_MS } from './clock.ts'
import { withDefaults } from './defaults.ts'
import { InvalidOptionError, LeaseLostError } from './errors.ts'
import type { Lease } from './lease.ts'
import { LeaseHandle } from './lease-handle.ts'
import { isLeaseName, LEASE_NAME_RULE, type LeaseOptions, settingsOfChecked, withinLimits } from './options.ts'
import { show } from './show.ts'
import { isCanonicalTick } from './tick.ts'
import { failed } from './with-lease.ts'

export interface LeaseCoordinatorOptions
  extends Pick<LeaseOptions, 'store' | 'candidate' | 'maxClockSkewMs' | 'onEvent' | 'clock'> {
  /** The lease of a job, by the job's name. Each job needs a lease of its own. @default the job's name */
  readonly leaseOf?: (job: string) => string
  /**
   * How long a run's lease is renewed, in milliseconds. node-cron does not report the end of every run: not of one
   * whose process was killed, nor of one that was stopped in its random delay. @default 3,600,000
   */
  readonly maxRunMs?: number
}

export interface LeaseCoordinator extends RunCoordinator {
  /** The lease of this run, for fenced writes and `lease.signal`; undefined if this process does not run it. */
  lease(run: Pick<TaskContext, 'task' | 'date'>): Lease | undefined
  onComplete(key: string): Promise<void>
  shouldRun(key: string, ttlMs: number): Promise<boolean>
}

const NAMES = ['store', 'candidate', 'maxClockSkewMs', 'onEvent', 'clock', 'leaseOf', 'maxRunMs']
const LONGEST_RUN_MS = 3_600_000

/** The process of a job given as a file waits 5 s for the answer, and ignores a later one. */
const LONGEST_ANSWER_MS = 4_000

/**
 * For node-cron's jobs with `distributed: true`: each slot runs on one instance, even if that has finished before
 * another one asks, because the slot is a tick of the job's lease. Runs of one job never overlap: a slot that comes due
 * during an earlier run is skipped. The lease lasts as long as node-cron's option `distributedLease` says and is
 * renewed during the run. If the process dies, its slot is not run again, because node-cron asks once for each slot;
 * later slots are skipped until the lease expires. A run that throws completes its slot, too.
 * @example
 * const coordinator = leaseCoordinator({ store: new DynamoDBLeaseStore({ tableName: 'leases' }) })
 * cron.setRunCoordinator(coordinator)
 * cron.schedule('0 3 * * *', backUp, { name: 'nightly-backup', distributed: true })
 * @throws InvalidOptionError for an unknown option, one of a wrong type, or a missing store. `shouldRun` rejects with
 *   it for a job whose name is no lease's, and with the errors of `withLease`: node-cron logs them and skips the slot
 */
export function leaseCoordinator(options: LeaseCoordinatorOptions = {}): LeaseCoordinator {
  const misspelt = Object.keys(options).find((name) => !NAMES.includes(name))
  if (misspelt !== undefined) {
    throw new InvalidOptionError(`leaseCoordinator has no option ${show(misspelt)}. Options: ${NAMES.join(', ')}.`)
  }
  const { leaseOf = (job) => job, maxRunMs = LONGEST_RUN_MS, ...given } = options
  if (typeof leaseOf !== 'function' || !(maxRunMs > 0 && maxRunMs <= LONGEST_TIMER_MS)) {
    throw new InvalidOptionError(
      `The option leaseOf must be a function of the job's name, and maxRunMs from 1 to ${LONGEST_TIMER_MS}.`,
    )
  }
  withDefaults({ ...given, lease: 'any' })
  const running = new Map<string, LeaseHandle>()

  return {
    async shouldRun(key, ttlMs) {
      const { job, tick } = partsOf(key)
      const lease = leaseOf(job)
      if (!isLeaseName(lease)) {
        throw new InvalidOptionError(
          `The lease of job ${show(job)} would be ${show(lease)}, but a lease's name has ${LEASE_NAME_RULE}. ` +
            'Rename the job, or give leaseCoordinator the option leaseOf.',
        )
      }
      const settings = settingsOfChecked(withDefaults({ ...given, lease, tick, leaseMs: withinLimits(ttlMs) }))
      const { clock } = settings
      const askedAtMs = clock.monotonicMs()
      const won = await acquireLease(settings)
      if (!(won instanceof LeaseHandle)) return false
      won.start()
      if (clock.monotonicMs() - askedAtMs > LONGEST_ANSWER_MS) {
        const late = new LeaseLostError(`Lease "${lease}" was won after more than ${LONGEST_ANSWER_MS} ms.`, { lease })
        await failed(won, late)
        throw late
      }
      for (const [old, { name, over }] of running) if (name === lease && over.aborted) running.delete(old)
      running.set(key, won)
      void clock.sleep(maxRunMs, won.over).then(() => {
        if (!won.over.aborted) won.abandon()
      })
      return true
    },

    async onComplete(key) {
      const lease = running.get(key)
      running.delete(key)
      try {
        await lease?.endAfterTask()
      } catch (error) {
        lease?.abandon() // A release would let a slow instance run the slot again.
        throw error
      }
    },

    lease: ({ task, date }) => running.get(`${task?.name}:${date.toISOString()}`),
  }
}

/** @param key the job's name and its slot: `nightly-backup:2026-11-21T03:00:00.000Z` */
function partsOf(key: string): { readonly job: string; readonly tick: string } {
  const at = key.length - '2026-11-21T03:00:00.000Z'.length
  const tick = key.slice(at)
  if (at > 1 && key[at - 1] === ':' && isCanonicalTick(tick)) return { job: key.slice(0, at - 1), tick }
  throw new InvalidOptionError(
    `node-cron's key ${show(key)} has no slot. Expected the job's name, a colon, and a time.`,
  )
}
