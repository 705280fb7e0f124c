/** Whole runs in this process, with everything but the terminal. */
// @ts-nocheck

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, inject } from 'vitest'
import { type Command, type Job, prepare } from '../../../infra/local/cli/command.ts'
import { dev } from '../../../infra/local/cli/dev.ts'
import type { CommandOptions } from '../../../infra/local/cli/options.ts'
import { start } from '../../../infra/local/cli/start.ts'
import type { Interceptor } from '../../../infra/local/lambda-host/interceptor.ts'
import { Display } from '../../../infra/local/run/display.ts'
import { runLocally } from '../../../infra/local/run/local-run.ts'
import { synthesize } from '../../../infra/local/stack/synthesize.ts'

export const ROOT = join(import.meta.dirname, '../../..')
/** Runs mostly wait for retries and leases, so many of them run side by side. */
const SHORT = ['--no-page', '--every', '0s', '--candidates', '2', '--time-scale', '0.1']
/** Shorter than the delay of a retry, and long enough for a machine on which many processes start at once. */
const LEASE_MS = 3_000
const MAX_ATTEMPTS = 3

const directories: string[] = []
afterAll(() => Promise.all(directories.map((directory) => rm(directory, { recursive: true }))))

export async function newDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'tenure-test-'))
  directories.push(directory)
  return directory
}

/**
 * Synthesized once for several runs: that is half of what starting one costs. @returns a command that copies the
 * assembly
 */
export async function synthesizeOnce({ app, context }: Pick<Job, 'app' | 'context'>): Promise<string> {
  const directory = await newDirectory()
  const given = { ...context, candidates: 2, leaseMs: LEASE_MS }
  await synthesize({ app, root: ROOT, directory, context: given })
  return `cp -R "${directory}/." "$CDK_OUTDIR"`
}

/** A run of `npm start`. @param app see `synthesizeOnce`. @default synthesized for each run. @param intercept more */
export const run = (flags: readonly string[], app?: string, intercept?: Interceptor) =>
  repeated(() => runOnce(start(app), flags, app, intercept))

/** A run of `tenure dev`. */
export const runDev = (flags: readonly string[]) => repeated(() => runOnce(dev, flags))

/** Repeats an inconclusive run: on a busy machine a leader may lose its lease before its fault comes. */
async function repeated(once: () => ReturnType<typeof runOnce>) {
  for (let attempt = 1; ; attempt += 1) {
    const ended = await once()
    if (ended.verdict.inconclusive.length === 0 || attempt === MAX_ATTEMPTS) return ended
  }
}

async function runOnce<O extends CommandOptions>(
  command: Command<O>,
  flags: readonly string[],
  given?: string,
  intercept?: Interceptor,
) {
  const prepared = await prepare(command, [...flags, ...SHORT])
  if (typeof prepared === 'string') throw new Error('It printed the help')
  const { job } = prepared
  const task: typeof job.task = (context) => {
    const made = job.task(context)
    return intercept === undefined ? made : { ...made, interceptors: [...(made.interceptors ?? []), intercept] }
  }
  const app = given ?? (await synthesizeOnce(job))
  let output = ''
  const write = (text: string) => {
    output += text
  }
  const dynamodb = { endpoint: inject('dynamodbEndpoint'), stop: async () => {} }
  const display = new Display({ write, columns: 10_000 }, {})
  const { signal } = new AbortController()
  const conclusion = await runLocally({ ...job, task, app, dynamodb, display, signal })
  return { ...conclusion, output }
}

export const ALL_WELL = { errors: [], harm: [], inconclusive: [] }
