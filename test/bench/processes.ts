/** The processes of a run: each has the environment of a Lambda function, and none outlives it. */
import { type ChildProcess, execFile, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { CreateTableCommand } from '@aws-sdk/client-dynamodb'
import { guard } from '../../infra/programs/watchdog.ts'
import { localClient } from '../support/tables.ts'
import type { Traffic } from './server.ts'

export interface Costs {
  readonly ms: number
  readonly cpuMs: number
  /** The peak since the start of the process. */
  readonly rssMB: number
}

export interface Start extends Costs {
  readonly status: string
  /** Without the start of Node. */
  readonly loadMs: number
  /** The files that were loaded, as URLs, if BENCH_TRACE is set. */
  readonly loaded: readonly string[]
}

export type Variables = Readonly<Record<string, string>>

const RUNNER = join(import.meta.dirname, 'runner.mjs')
/** No order takes longer. */
const LONGEST_MS = 300_000
/** As HandlerFunction sets it. */
const FLAGS = ['--enable-source-maps']

/** A process that answers one order after the other. */
export class Child implements Disposable {
  readonly process: ChildProcess
  /** Its first message. */
  readonly ready: Promise<unknown>

  constructor(program: string, args: readonly string[], variables: Variables = {}) {
    const stdio = ['ignore', 'ignore', 'inherit', 'ipc'] as const
    const env = { ...process.env, ...variables }
    this.process = fork(program, args, { env, execArgv: FLAGS, detached: true, stdio: [...stdio] })
    guard(this.process)
    this.ready = this.#message()
  }

  async ask<Answer>(order: object): Promise<Answer> {
    await this.ready
    const answer = this.#message<Answer>()
    this.process.send(order)
    return await answer
  }

  async #message<Message>(): Promise<Message> {
    const ended = new AbortController()
    const signal = AbortSignal.any([ended.signal, AbortSignal.timeout(LONGEST_MS)])
    try {
      const messages: Promise<Message[]> = once(this.process, 'message', { signal })
      const [message] = await Promise.race([messages, once(this.process, 'exit', { signal }).then((): Message[] => [])])
      if (message === undefined) throw new Error(`${this.process.spawnargs.slice(2).join(' ')} ended by itself`)
      return message
    } finally {
      ended.abort()
    }
  }

  [Symbol.dispose](): void {
    this.process.kill('SIGKILL')
  }
}

export class Server extends Child {
  constructor(mode: 'canned' | 'double' | 'proxy', upstream = '') {
    super(join(import.meta.dirname, 'server.ts'), [mode, upstream])
  }

  /** What was on the wire since the last call. */
  async traffic(): Promise<Traffic> {
    return await this.ask<Traffic>({})
  }

  get endpoint(): Promise<string> {
    return this.ready.then((address) => `http://127.0.0.1:${Object(address).port}`)
  }

  async variables(lease: string): Promise<Variables> {
    return variablesFor(await this.endpoint, lease)
  }
}

export function variablesFor(endpoint: string, lease: string): Variables {
  return {
    AWS_ENDPOINT_URL_DYNAMODB: endpoint,
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_LAMBDA_FUNCTION_NAME: 'bench',
    LEASE_TABLE: 'leases',
    LEASE_NAME: lease,
    NODE_NO_WARNINGS: '1',
    AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE: '1',
  }
}

/** The tables of all that is compared. */
export async function createTables(endpoint: string): Promise<void> {
  const client = localClient(endpoint)
  const tables = {
    leases: ['lease', 'record'],
    effects: ['id'],
    powertools: ['id'],
    lockClient: ['id'],
    LockTable: ['lockId', 'lockGroup'],
  }
  for (const [TableName, keys] of Object.entries(tables)) {
    const names = keys.map((AttributeName) => ({ AttributeName }))
    const AttributeDefinitions = names.map((name) => ({ ...name, AttributeType: 'S' as const }))
    const KeySchema = names.map((name, nth) => ({
      ...name,
      KeyType: nth === 0 ? ('HASH' as const) : ('RANGE' as const),
    }))
    const BillingMode = 'PAY_PER_REQUEST'
    await client.send(new CreateTableCommand({ TableName, AttributeDefinitions, KeySchema, BillingMode }))
  }
  client.destroy()
}

/** Starts the handler's process, which invokes it once. */
export async function startOnce(bundle: string, variables: Variables): Promise<Start> {
  const env = { ...process.env, ...variables }
  const { stdout } = await promisify(execFile)(process.execPath, [...FLAGS, RUNNER, fileUrl(bundle)], { env })
  return JSON.parse(stdout)
}

export class Runner extends Child {
  constructor(bundle: string, variables: Variables) {
    super(RUNNER, [fileUrl(bundle)], variables)
  }

  /** @param leases in turn */
  run(cycles: number, leases = 1): Promise<Costs> {
    return this.ask<Costs>({ order: 'run', cycles, leases })
  }

  contend(contenders: number, lease: string): Promise<Costs & { readonly led: number }> {
    return this.ask<Costs & { readonly led: number }>({ order: 'contend', contenders, lease })
  }

  /** Leads until `finish`, or until it is disposed of. */
  hold(leases: readonly string[]): Promise<Costs> {
    return this.ask<Costs>({ order: 'hold', leases })
  }

  finish(): Promise<Costs> {
    return this.ask<Costs>({ order: 'finish' })
  }
}

const fileUrl = (path: string) => pathToFileURL(path).href
