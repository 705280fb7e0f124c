/** A run without ticks: servers that stay stand for one lease, on the table of the stacks. */
// @ts-nocheck

import { CreateTableCommand, type CreateTableCommandInput, DeleteTableCommand } from '@aws-sdk/client-dynamodb'
import { systemClock } from '../../../functions/election/clock.ts'
import { Cleanups } from '../../programs/cleanups.ts'
import { count, secondsOf } from '../../programs/text.ts'
import { FAULT_WORDS, type ManualFault } from '../faults/fault.ts'
import { ManualFaults } from '../faults/manual-faults.ts'
import { sessionTokenOf } from '../lambda-host/credentials.ts'
import { compose } from '../lambda-host/interceptor.ts'
import { startServices } from '../lambda-host/services.ts'
import type { Entry, Over, VerdictLine } from '../observe/entries.ts'
import { Recorder } from '../observe/recorder.ts'
import { Feed } from '../page/feed.ts'
import { deployLocally } from '../run/deployment.ts'
import { type LocalRunOptions, servePage, showFaults } from '../run/local-run.ts'
import { writesIn } from '../run/verdict.ts'
import { Audit, type Gap } from './audit.ts'
import { requestHandOver } from './hand-over.ts'
import { Servers } from './servers.ts'
import { B_MS, LEASE, LEASE_MS, nameOf } from './times.ts'

export interface StandingOptions {
  readonly servers: number
  /** Until Ctrl-C if it is undefined. */
  readonly forMs: number | undefined
}

const WORK_TABLE = 'Work'
const WORK: CreateTableCommandInput = {
  ...{ TableName: WORK_TABLE, BillingMode: 'PAY_PER_REQUEST' },
  AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
  KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
}
const COUNTS_EVERY_MS = 500

export async function runStanding(run: LocalRunOptions, { servers: wanted, forMs }: StandingOptions) {
  const { display, signal } = run
  await using resources = new Cleanups()
  const feed = new Feed()
  showFaults(feed, display)
  display.note('Synthesizing the stacks and starting DynamoDB Local …')
  const deployment = await deployLocally({ ...run, context: { ...run.context, candidates: 1 } }, resources)
  const { client, region, accessKey, lease } = deployment
  const { leaseTable } = lease
  display.deployed(deployment.dynamodb)
  await client.send(new CreateTableCommand(WORK))
  resources.defer(() => client.send(new DeleteTableCommand({ TableName: WORK_TABLE })))

  const audit = new Audit(WORK_TABLE)
  const add = (entry: Entry) => {
    feed.add(entry)
    if (entry.kind === 'candidate') servers.changed(entry)
    const before = audit.tenures
    const gap = audit.add(entry)
    if (entry.kind === 'tenure' && audit.tenures > before) display.led(entry, gap === undefined ? '' : describeGap(gap))
  }
  const recorder = new Recorder({ leaseTable, add })
  const common = { AWS_REGION: region, AWS_ACCESS_KEY_ID: accessKey, AWS_SECRET_ACCESS_KEY: 'local', WORK_TABLE }
  const ofLease = { LEASE_TABLE: leaseTable, LEASE_NAME: LEASE, LEASE_MS: String(LEASE_MS) }
  const servers: Servers = new Servers({
    environmentOf: (serial, candidate) => ({
      ...{ ...common, ...ofLease, CANDIDATE: nameOf(candidate), AWS_SESSION_TOKEN: sessionTokenOf(serial) },
      AWS_ENDPOINT_URL_DYNAMODB: services.url,
    }),
    onStart: (...started) => recorder.serverStarted(...started),
    onEnd: (requestId, how, logs) => {
      recorder.serverEnded(requestId, how, logs)
      manualFaults.invocationEnded(requestId)
      if (how.startsWith('status') && how !== 'status 0') {
        display.warn(`    candidate ${recorder.candidateOf(requestId)} ended with ${how}: ${logs.join(' ')}`)
      }
    },
  })
  const manualFaults = new ManualFaults({
    ...{ processes: servers, deliverAgain: async () => {}, pastLeaseMs: LEASE_MS + B_MS, signal },
    ...{ candidates: wanted, leaseTable, election: recorder, add },
    onFault: (description, on) => recorder.faultInjected(description, on),
    handOver: async (candidate) => {
      const leader = recorder.leader()
      const to = await requestHandOver(client, leaseTable, candidate)
      recorder.faultInjected(`${FAULT_WORDS.handOver} to ${to}`, leader === undefined ? {} : { requestId: leader })
    },
  })
  const services = await startServices({
    ...{ dynamodbEndpoint: deployment.dynamodb.endpoint, region, accessKey, functions: [] },
    intercept: compose(recorder.atFunction, manualFaults.intercept, recorder.atService, audit.intercept),
    run: () => Promise.reject(new Error('There are no functions')),
    requestOf: servers.requestOf,
  })
  resources.defer(() => services.stop())
  resources.defer(() => servers.stop(undefined))

  feed.add({ kind: 'setup', task: 'appends to a protected row', lease: LEASE, leaseMs: LEASE_MS, switchedOff: [] })
  const addCounts = () => feed.add({ kind: 'standingCounts', ...countsOf(audit, recorder) })
  using _counting = setInterval(addCounts, COUNTS_EVERY_MS)
  let verdict: Over['verdict']
  const inject = (fault: ManualFault) => manualFaults.inject(fault)
  await servePage({ ...run, feed, logs: recorder.logs, inject, verdict: () => verdict }, resources)
  display.note(`${count(wanted, 'server')} stand for the lease ${LEASE}, which lasts ${LEASE_MS / 1000} s.`)
  signal.throwIfAborted()
  servers.open()
  await systemClock.sleep(forMs ?? Number.POSITIVE_INFINITY, signal)
  await servers.stop(recorder.leader())
  addCounts()
  const conclusion = concluded(audit, recorder, wanted, signal.aborted)
  verdict = conclusion.lines
  display.concluded(conclusion.text, verdict)
  return conclusion
}

const describeGap = ({ after, candidate, ms }: Gap) =>
  `after ${secondsOf(ms)} without a leader (candidate ${candidate}: ${after})`

function countsOf(audit: Audit, recorder: Recorder) {
  const { tenures, appended, longestGapMs } = audit
  const stale = writesIn(recorder.unguardedWrites())
  const unfenced = stale > 0 ? [`${count(stale, 'write')} of replaced leaders accepted without a fence`] : []
  return {
    ...{ tenures, appended, staleRefused: recorder.staleRefused(), staleAccepted: stale, longestGapMs },
    ...{ lastGapMs: audit.gaps.at(-1)?.ms, errors: [...audit.errors(), ...unfenced] },
  }
}

/** What a run came to; `summary` is what `--json` prints. */
function concluded(audit: Audit, recorder: Recorder, servers: number, isInterrupted: boolean) {
  const { lastGapMs: _last, errors, ...counts } = countsOf(audit, recorder)
  const { tenures, appended, staleRefused, longestGapMs } = counts
  const inconclusive = tenures === 0 && !isInterrupted ? ['No server led, so the run proves nothing.'] : []
  const longest = longestGapMs === undefined ? '' : `; the longest time without one: ${secondsOf(longestGapMs)}`
  const right = 'each token was higher than all before, and writes were applied in the order of their tokens'
  const line: VerdictLine =
    errors.length > 0
      ? { kind: 'wrong', text: `✗ ${errors.join('; ')}` }
      : tenures === 0
        ? { kind: 'open', text: inconclusive[0] ? `? ${inconclusive[0]}` : 'No server led.' }
        : { kind: 'right', text: `✓ All is well: ${right}.` }
  return {
    summary: { servers, ...counts, gaps: audit.gaps },
    verdict: { errors, inconclusive },
    lines: [line],
    text: [
      `${count(tenures, 'tenure')} of ${count(servers, 'server')}, ${count(appended, 'write')} of leaders${longest}`,
      ...(staleRefused > 0 ? [`  the fence refused ${count(staleRefused, 'write')} of replaced leaders`] : []),
    ],
  }
}
