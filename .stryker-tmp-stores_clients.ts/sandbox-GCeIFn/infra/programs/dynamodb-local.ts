/**
 * Amazon's DynamoDB Local, in memory, from the first of these that is available: one that already listens at
 * `DYNAMODB_ENDPOINT`; the jar in the npm package `amplify-dynamodb-simulator`, with Java; Docker, which pulls the
 * image `amazon/dynamodb-local`. The jar and the image have the "Amazon DynamoDB Local License Agreement": the user
 * needs an AWS account. `tenure` includes neither, because the licence forbids passing them on.
 *
 * Limits: no latency, no throttling, no TransactionConflict, no IAM. The last two are reachable from this machine
 * alone, and each access key sees its own tables: a random key is a secret.
 */
// @ts-nocheck

import { type ChildProcess, execFile, type SpawnOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb'
import { LastLines } from './text.ts'
import { exitOf, guard } from './watchdog.ts'

export interface DynamoDBLocal {
  readonly endpoint: string
  /** It was running before and keeps running; others may reach it. */
  readonly isForeign?: boolean
  stop(): Promise<void>
}

const OLDEST_JAVA = 17
const START_TIMEOUT_MS = 60_000
const DOWNLOAD_AND_START_TIMEOUT_MS = 300_000 // of a Docker image
const ANSWER_TIMEOUT_MS = 5_000
/** It may have been started a moment ago. */
const FOREIGN_ANSWER_MS = 2_000
const POLL_EVERY_MS = 50
const KEPT_LINES = 50
const JETTY = join(import.meta.dirname, 'dynamodb-local.xml')

const whatToInstall = (hasJar: boolean): string => `DynamoDB Local is not available. Do one of these:
- Install Java ${OLDEST_JAVA} or newer, in PATH or JAVA_HOME${hasJar ? '.' : AND_THE_JAR}
- Start Docker: it runs the image amazon/dynamodb-local.
- Set DYNAMODB_ENDPOINT to the address of one that is running.
DynamoDB Local has a licence of its own: it asks for an AWS account.`

/** The override spares the user a dependency of hundreds of packages, which the jar does not need. */
const AND_THE_JAR = `, and the jar:
    npm pkg set overrides.amplify-dynamodb-simulator.@aws-amplify/amplify-cli-core=npm:picocolors@1.1.1
    npm install --save-dev amplify-dynamodb-simulator`

export interface LocalOptions {
  /** Whether all access keys and Regions see the same tables. @default false */
  readonly sharedDb?: boolean
  /** Has JAVA_HOME, PATH and DYNAMODB_ENDPOINT. @default process.env */
  readonly env?: NodeJS.ProcessEnv
  /** Aborts the start; nothing stays behind. */
  readonly signal?: AbortSignal
}

/** @throws Error with what to install, or with what DynamoDB Local wrote before it died */
export async function startDynamoDBLocal(options: LocalOptions = {}): Promise<DynamoDBLocal> {
  const { env = process.env, signal, sharedDb = false } = options
  signal?.throwIfAborted()
  const endpoint = env['DYNAMODB_ENDPOINT']
  if (endpoint !== undefined && endpoint !== '') {
    await untilItAnswers(endpoint, FOREIGN_ANSWER_MS, () => undefined).catch((cause: unknown) => {
      const advice = 'Start DynamoDB Local at this address, or unset the variable'
      throw new Error(`DYNAMODB_ENDPOINT is ${endpoint}, but no DynamoDB answers there. ${advice}`, { cause })
    })
    return { endpoint, isForeign: true, stop: async () => {} }
  }
  const emulator = emulatorDirectory()
  const java = emulator === undefined ? undefined : await findJava(env)
  if (emulator !== undefined && java !== undefined) return startJar(java, emulator, { env, signal, sharedDb })
  if ((await errorOutputOf('docker', 'version', env)) !== undefined) return startContainer({ env, signal, sharedDb })
  throw new Error(whatToInstall(emulator !== undefined))
}

type Starting = Required<Pick<LocalOptions, 'env' | 'sharedDb'>> & { readonly signal: AbortSignal | undefined }

/**
 * The jar's main class listens on all interfaces and has no option to change that. So Jetty, the web server in the
 * jar, is started with a configuration file that runs the same handler on the loopback address alone.
 */
async function startJar(java: string, emulator: string, { env, signal, sharedDb }: Starting): Promise<DynamoDBLocal> {
  const port = await freePort()
  const directory = await mkdtemp(join(tmpdir(), 'tenure-dynamodb-')) // its working directory, in case it writes files
  const libraries = join(emulator, 'DynamoDBLocal_lib')
  const jvm = [
    ...['-Xms64m', '-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'], // the fastest start on few cores
    `-Djava.library.path=${libraries}`,
    `-Djava.io.tmpdir=${directory}`, // it unpacks a library there, and SIGKILL keeps it from deleting that
    ...['-Dorg.eclipse.jetty.util.log.announce=false', '-Dorg.eclipse.jetty.LEVEL=WARN'], // as its main class sets them
    ...['-cp', [join(emulator, 'DynamoDBLocal.jar'), join(libraries, '*')].join(delimiter)],
  ]
  const jetty = ['org.eclipse.jetty.xml.XmlConfiguration', `port=${port}`, `sharedDb=${sharedDb}`, JETTY]
  const options = { cwd: directory, env, stdio: ['ignore', 'ignore', 'pipe'], detached: true } satisfies SpawnOptions
  const child = spawn(java, [...jvm, ...jetty], options)
  const cleanUp = () => rm(directory, { recursive: true, force: true })
  return whenReady({ child, port, withinMs: START_TIMEOUT_MS, cleanUp, signal })
}

/**
 * The container ends when its standard input closes: whether this process stops it or dies, the docker client's
 * connection closes, and `cat` ends. (If only the client were killed, the container would keep running.)
 */
async function startContainer({ env, signal, sharedDb }: Starting): Promise<DynamoDBLocal> {
  const port = await freePort()
  // Without -cors DynamoDB Local lets every page in a browser read its answers.
  const options = `-inMemory -disableTelemetry -cors http://none.invalid${sharedDb ? ' -sharedDb' : ''}`
  const script = `java -jar DynamoDBLocal.jar ${options} & cat > /dev/null; kill $!`
  const run = ['run', '--rm', '-i', '-p', `127.0.0.1:${port}:8000`, '--entrypoint', 'sh', 'amazon/dynamodb-local']
  const child = spawn('docker', [...run, '-c', script], { env, stdio: ['pipe', 'ignore', 'pipe'], detached: true })
  return whenReady({ child, port, withinMs: DOWNLOAD_AND_START_TIMEOUT_MS, signal })
}

interface Launched {
  readonly child: ChildProcess
  readonly port: number
  readonly withinMs: number
  readonly cleanUp?: () => Promise<void>
  readonly signal?: AbortSignal | undefined
}

async function whenReady({ child, port, withinMs, cleanUp, signal }: Launched): Promise<DynamoDBLocal> {
  guard(child)
  const giveUp = () => child.kill('SIGKILL')
  signal?.addEventListener('abort', giveUp)
  const output = new LastLines([child.stderr], KEPT_LINES)
  let died: string | undefined
  const gone = exitOf(child)
    .then(({ code, signal: by }) => `ended with ${by ?? `exit code ${code}`}`)
    .catch((error: Error) => error.message)
    .then((how) => {
      died = `${how}. Its output: ${output.read().join('\n')}`
    })
  const stop = async () => {
    child.kill('SIGKILL')
    await gone
    await cleanUp?.()
  }
  const endpoint = `http://127.0.0.1:${port}`
  try {
    await untilItAnswers(endpoint, withinMs, () => died)
  } catch (error) {
    await stop()
    signal?.throwIfAborted()
    throw error
  } finally {
    signal?.removeEventListener('abort', giveUp)
  }
  return { endpoint, stop }
}

async function untilItAnswers(endpoint: string, withinMs: number, died: () => string | undefined): Promise<void> {
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' }
  const client = new DynamoDBClient({ endpoint, region: 'local', credentials, maxAttempts: 1 })
  const giveUpAt = performance.now() + withinMs
  try {
    while (true) {
      try {
        const abortSignal = AbortSignal.timeout(ANSWER_TIMEOUT_MS)
        return void (await client.send(new ListTablesCommand({}), { abortSignal }))
      } catch (cause) {
        const reason = died()
        if (reason !== undefined) throw new Error(`DynamoDB Local could not start: ${reason}`, { cause })
        if (performance.now() > giveUpAt) {
          throw new Error(`DynamoDB Local at ${endpoint} did not answer within ${withinMs / 1000} s`, { cause })
        }
        await sleep(POLL_EVERY_MS)
      }
    }
  } finally {
    client.destroy()
  }
}

/** In the packages of this project, else in those of the user's. */
function emulatorDirectory(): string | undefined {
  for (const from of [import.meta.url, join(process.cwd(), 'package.json')]) {
    try {
      const manifest = createRequire(from).resolve('amplify-dynamodb-simulator/package.json')
      const emulator = join(dirname(manifest), 'emulator')
      if (existsSync(join(emulator, 'DynamoDBLocal.jar'))) return emulator
    } catch {
      // It is not installed there.
    }
  }
  return undefined
}

/** What a program writes to standard error; undefined if it fails, is missing or is not executable. */
const errorOutputOf = (program: string, argument: string, env: NodeJS.ProcessEnv): Promise<string | undefined> =>
  promisify(execFile)(program, [argument], { env, timeout: 10_000 }).then(
    ({ stderr }) => stderr,
    () => undefined,
  )

/** The `java` of JAVA_HOME, else that of the PATH, if it is new enough. */
async function findJava(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const home = env['JAVA_HOME']
  for (const java of [...(home ? [join(home, 'bin', 'java')] : []), 'java']) {
    if (javaMajor((await errorOutputOf(java, '-version', env)) ?? '') >= OLDEST_JAVA) return java
  }
  return undefined
}

/** From the output of `java -version`: 17 for `"17.0.15"`, 8 for `"1.8.0_402"`, NaN if it has no version. */
export function javaMajor(output: string): number {
  const [, first, second] = /version "(\d+)(?:\.(\d+))?/.exec(output) ?? []
  return Number(first === '1' ? second : first)
}

export async function freePort(): Promise<number> {
  await using server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The machine has no free port')
  return address.port
}
