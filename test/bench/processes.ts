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

/** Of a run; since the start of the process, if it is about a start. */
export interface Costs {
  readonly ms: number
  readonly cpuMs: number
  /** The peak since the start of the process. */
  readonly rssMB: number
}

export interface Start extends Costs {
  readonly status: string
  /** The files that were loaded, as URLs, if BENCH_TRACE is set. */
  readonly loaded: readonly string[]
}

export type Variables = Readonly<Record<string, string>>

const RUNNER = join(import.meta.dirname, 'runner.mjs')
const IN_LAMBDA = { AWS_LAMBDA_FUNCTION_NAME: 'bench' }
/** As HandlerFunction sets it. */
const FLAGS = ['--enable-source-maps']
/** No order takes longer. */
const LONGEST_MS = 300_000

/** A process that answers one order after the other. */
export class Child implements Disposable {
  readonly process: ChildProcess
  /** Its first message. */
  readonly ready: Promise<unknown>

  constructor(program: string, args: readonly string[] = [], variables: Variables = {}) {
    const env = environment(variables)
    this.process = fork(program, args, { env, execArgv: FLAGS, detached: true, stdio: ['ignore', 'ignore', 2, 'ipc'] })
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
    const messages: Promise<Message[]> = once(this.process, 'message', { signal })
    const exit: Promise<Message[]> = once(this.process, 'exit', { signal }).then(() => [])
    const [message] = await Promise.race([messages, exit]).finally(() => ended.abort())
    exit.catch(() => undefined)
    if (message !== undefined) return message
    throw new Error(`${this.process.spawnargs.slice(2).join(' ')} ended by itself`)
  }

  [Symbol.dispose](): void {
    this.process.kill('SIGKILL')
  }
}

/** @see server.ts */
export class Server extends Child {
  /** With the tables of all subjects, unless it is a proxy. */
  static async start(mode: 'canned' | 'double' | 'proxy', upstream = ''): Promise<Server> {
    const server = new Server(join(import.meta.dirname, 'server.ts'), [mode, upstream])
    if (mode === 'double') await createTables(await server.endpoint)
    return server
  }

  get endpoint(): Promise<string> {
    return this.ready.then((address) => `http://127.0.0.1:${Object(address).port}`)
  }

  async variables(lease: string): Promise<Variables> {
    return variablesFor(await this.endpoint, lease)
  }

  /** What was on the wire since the last call. */
  async traffic(): Promise<Traffic> {
    return await this.ask<Traffic>({})
  }
}

export function variablesFor(endpoint: string, lease: string): Variables {
  return {
    AWS_ENDPOINT_URL_DYNAMODB: endpoint,
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    LEASE_TABLE: 'leases',
    LEASE_NAME: lease,
    NODE_NO_WARNINGS: '1',
  }
}

const TABLES = {
  leases: ['lease', 'record'],
  effects: ['id'],
  powertools: ['id'],
  lockClient: ['id'],
  LockTable: ['lockId', 'lockGroup'],
}

export async function createTables(endpoint: string): Promise<void> {
  const client = localClient(endpoint)
  for (const [TableName, keys] of Object.entries(TABLES)) {
    const AttributeDefinitions = keys.map((AttributeName) => ({ AttributeName, AttributeType: 'S' as const }))
    const KeySchema = keys.map((AttributeName, nth) => ({ AttributeName, KeyType: (['HASH', 'RANGE'] as const)[nth] }))
    const BillingMode = 'PAY_PER_REQUEST'
    await client.send(new CreateTableCommand({ TableName, AttributeDefinitions, KeySchema, BillingMode }))
  }
  client.destroy()
}

/** Starts a process, which invokes the handler once. */
export async function startOnce(bundle: string, variables: Variables): Promise<Start> {
  const env = environment({ ...IN_LAMBDA, ...variables })
  const { stdout } = await promisify(execFile)(process.execPath, [...FLAGS, RUNNER, urlOf(bundle)], { env })
  return JSON.parse(stdout)
}

/** @see runner.mjs */
export class Runner extends Child {
  static of(bundle: string, variables: Variables): Runner {
    return new Runner(RUNNER, [urlOf(bundle)], { ...IN_LAMBDA, ...variables })
  }

  /** @param leases in turn */
  readonly run = (cycles: number, leases = 1) => this.ask<Costs>({ order: 'run', cycles, leases })
  readonly contend = (contenders: number, lease: string) => this.ask<Costs>({ order: 'contend', contenders, lease })
  /** Leads until `finish`, or until it is disposed of. */
  readonly hold = (leases: readonly string[]) => this.ask<Costs>({ order: 'hold', leases })
  readonly finish = () => this.ask<Costs>({ order: 'finish' })
}

/** Without what this machine says about AWS, also in the files of ~/.aws. */
function environment(variables: Variables): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('AWS_'))
  return { ...Object.fromEntries(own), HOME: import.meta.dirname, ...variables }
}

const urlOf = (path: string) => pathToFileURL(path).href
