/**
 * DynamoDB on this machine: Amazon's DynamoDB Local, in memory, from the first of
 *
 * 1. the npm package `amplify-dynamodb-simulator`, which carries the jar, where there is Java 17 or newer;
 * 2. Docker (`amazon/dynamodb-local`), where an engine answers;
 * 3. whatever already listens at the environment variable `DYNAMODB_ENDPOINT`.
 *
 * Limits: it has no latency, no throttling, never raises TransactionConflict, and does not know who may do what. What 1
 * and 2 start is reached from this machine alone, and each access key sees tables of its own: a random one is a secret.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb'
import { freePort } from './free-port.ts'
import { findJava, OLDEST_JAVA } from './java.ts'
import { guard } from './watchdog.ts'

export interface DynamoDBLocal {
  readonly endpoint: string
  /** It ran before, and who can reach it is not decided here. */
  readonly isForeign?: boolean
  stop(): Promise<void>
}

const START_TIMEOUT_MS = 60_000
/** Docker may have to fetch the image first. */
const FETCH_AND_START_TIMEOUT_MS = 300_000
const ANSWER_TIMEOUT_MS = 5_000
const POLL_EVERY_MS = 50

const JETTY = join(import.meta.dirname, 'dynamodb-local.xml')
/** The origin of no page: without this option DynamoDB Local answers those of every page. */
const NO_PAGE = 'http://none.invalid'

const WHAT_TO_INSTALL =
  `DynamoDB Local needs one of: Java ${OLDEST_JAVA} or newer (on the PATH or in JAVA_HOME; the jar itself came with npm ci), ` +
  'a running Docker engine, or the environment variable DYNAMODB_ENDPOINT with the address of a DynamoDB Local that runs already.'

export interface LocalOptions {
  /** Whether all access keys and Regions see the same tables. @default false */
  readonly sharedDb?: boolean
  /** Where JAVA_HOME, PATH and DYNAMODB_ENDPOINT are looked up. @default process.env */
  readonly env?: NodeJS.ProcessEnv
  /** Gives up starting, and leaves nothing behind. */
  readonly signal?: AbortSignal
}

/** @throws Error that says what to install, or what DynamoDB Local said before it died. */
export async function startDynamoDBLocal(options: LocalOptions = {}): Promise<DynamoDBLocal> {
  const { env = process.env, signal, sharedDb = false } = options
  signal?.throwIfAborted()
  const emulator = emulatorDirectory()
  const java = emulator === undefined ? undefined : await findJava(env)
  if (emulator !== undefined && java !== undefined) return startJar(java, emulator, { env, signal, sharedDb })
  if (await dockerAnswers(env)) return startContainer({ env, signal, sharedDb })
  const endpoint = env['DYNAMODB_ENDPOINT']
  if (endpoint === undefined || endpoint === '') throw new Error(WHAT_TO_INSTALL)
  await untilItAnswers(endpoint, ANSWER_TIMEOUT_MS, () => undefined)
  return { endpoint, isForeign: true, stop: async () => {} }
}

type Starting = Required<Pick<LocalOptions, 'env' | 'sharedDb'>> & { readonly signal: AbortSignal | undefined }

/**
 * Started by its own main class the jar listens on all interfaces, and has no option for it. So Jetty, the web server
 * in it, is configured by a file to run the same handler on the loopback address alone, under that address's names.
 */
async function startJar(java: string, emulator: string, { env, signal, sharedDb }: Starting): Promise<DynamoDBLocal> {
  const port = await freePort()
  const directory = await mkdtemp(join(tmpdir(), 'tenure-dynamodb-')) // its working directory, in case it writes there
  const libraries = join(emulator, 'DynamoDBLocal_lib')
  const jvm = [
    ...['-Xms64m', '-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'], // starts soonest on few cores
    `-Djava.library.path=${libraries}`,
    `-Djava.io.tmpdir=${directory}`, // it unpacks a library there, and is killed before it could delete it
    ...['-Dorg.eclipse.jetty.util.log.announce=false', '-Dorg.eclipse.jetty.LEVEL=WARN'], // as its main class says
    ...['-cp', [join(emulator, 'DynamoDBLocal.jar'), join(libraries, '*')].join(delimiter)],
  ]
  const configured = ['org.eclipse.jetty.xml.XmlConfiguration', `port=${port}`, `sharedDb=${sharedDb}`, JETTY]
  const child = spawn(java, [...jvm, ...configured], {
    cwd: directory,
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  })
  const cleanUp = () => rm(directory, { recursive: true, force: true })
  return whenReady({ child, port, withinMs: START_TIMEOUT_MS, cleanUp, signal })
}

/**
 * The container lives as long as its standard input: whether we stop it or die, the docker client's connection closes,
 * `cat` ends, and with it the container (killing the client alone would leave it running).
 */
async function startContainer({ env, signal, sharedDb }: Starting): Promise<DynamoDBLocal> {
  const port = await freePort()
  const options = `-inMemory -disableTelemetry -cors ${NO_PAGE}${sharedDb ? ' -sharedDb' : ''}`
  const script = `java -jar DynamoDBLocal.jar ${options} & cat > /dev/null; kill $!`
  const run = ['run', '--rm', '-i', '-p', `127.0.0.1:${port}:8000`, '--entrypoint', 'sh', 'amazon/dynamodb-local']
  const child = spawn('docker', [...run, '-c', script], { env, stdio: ['pipe', 'ignore', 'pipe'], detached: true })
  return whenReady({ child, port, withinMs: FETCH_AND_START_TIMEOUT_MS, signal })
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
  let said = ''
  let died: string | undefined
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-4_000)
  })
  const gone = new Promise<void>((resolve) => {
    const end = (how: string) => {
      died = how
      resolve()
    }
    child.once('error', (error) => end(error.message))
    child.once('exit', (code, by) => end(`ended with ${by ?? `exit code ${code}`}`))
  })
  const stop = async () => {
    child.kill('SIGKILL')
    await gone
    await cleanUp?.()
  }
  const endpoint = `http://127.0.0.1:${port}`
  try {
    await untilItAnswers(endpoint, withinMs, () =>
      died === undefined ? undefined : `${died}. It said: ${said.trim()}`,
    )
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
  const client = new DynamoDBClient({
    endpoint,
    region: 'local',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
  })
  const giveUpAt = performance.now() + withinMs
  try {
    while (true) {
      try {
        return void (await client.send(new ListTablesCommand({}), {
          abortSignal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
        }))
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

function emulatorDirectory(): string | undefined {
  try {
    const manifest = createRequire(import.meta.url).resolve('amplify-dynamodb-simulator/package.json')
    const emulator = join(dirname(manifest), 'emulator')
    return existsSync(join(emulator, 'DynamoDBLocal.jar')) ? emulator : undefined
  } catch {
    return undefined // not installed
  }
}

async function dockerAnswers(env: NodeJS.ProcessEnv): Promise<boolean> {
  try {
    await promisify(execFile)('docker', ['version'], { env, timeout: 10_000 })
    return true
  } catch {
    return false
  }
}
