/**
 * Runs inside each execution environment: loads the function's bundle by its handler, then serves one invocation after
 * the other, as Lambda's Node.js runtime does for asynchronous handlers (the only ones that nodejs24.x accepts).
 * Source: https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html
 */
import { existsSync } from 'node:fs'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { CHANNEL_FD, onLine, send } from './channel.ts'
import { type ErrorReport, reportOf } from './report.ts'

/** From the host. `deadlineMs` is an epoch time: after it the host kills this process. */
export interface InvokeMessage {
  readonly event: unknown
  readonly requestId: string
  readonly functionArn: string
  readonly deadlineMs: number
  /** How far this candidate's wall clock is ahead; behind, below 0. */
  readonly clockSkewMs: number
}

/** To the host: the first ends the initialization, every later one an invocation. */
export type RuntimeMessage =
  /** What the handler returned, as JSON; of the initialization, null. */
  { readonly kind: 'result'; readonly json: string } | { readonly kind: 'error'; readonly error: ErrorReport }

type Handler = (event: unknown, context: object) => unknown

/** That of the machine, whatever the function is made to believe. */
const SystemDate = Date
let clockSkewMs = 0
globalThis.Date = new Proxy(SystemDate, {
  construct: (_, args, newTarget) => Reflect.construct(SystemDate, args.length === 0 ? [skewedNow()] : args, newTarget),
  apply: () => new SystemDate(skewedNow()).toString(),
  get: (_, name) => (name === 'now' ? skewedNow : Reflect.get(SystemDate, name)),
})
SystemDate.prototype.constructor = globalThis.Date // so that `instant.constructor === Date` stays true

/** An error of the SDK's has many frames of its own above those of the function. */
Error.stackTraceLimit = 50

const channel = new Socket({ fd: CHANNEL_FD, readable: true, writable: true })
channel.on('error', () => {}).on('close', () => process.exit(1)) // the host is gone

const handler = await initialize()
if (handler !== undefined) {
  onLine(channel, async (line) => tell(await invoke(handler, JSON.parse(line))))
  tell({ kind: 'result', json: 'null' })
}

async function initialize(): Promise<Handler | undefined> {
  try {
    return await loadHandler(process.env['LAMBDA_TASK_ROOT'] ?? '', process.env['_HANDLER'] ?? '')
  } catch (error) {
    tell({ kind: 'error', error: reportOf(error) })
    return undefined
  }
}

/** `name` is `file.export`, the file without its extension. */
async function loadHandler(directory: string, name: string): Promise<Handler> {
  const dot = name.lastIndexOf('.')
  const stem = join(directory, name.slice(0, dot))
  const file = ['.js', '.mjs', '.cjs'].map((extension) => stem + extension).find(existsSync)
  if (file === undefined) throw new Error(`The bundle has no module for the handler ${name}`)
  const loaded: Readonly<Record<string, unknown>> = await import(pathToFileURL(file).href)
  const found = loaded[name.slice(dot + 1)]
  if (typeof found !== 'function') throw new Error(`${name} is not a function`)
  return (event, context) => found(event, context)
}

function skewedNow(): number {
  return SystemDate.now() + clockSkewMs
}

async function invoke(handle: Handler, message: InvokeMessage): Promise<RuntimeMessage> {
  clockSkewMs = message.clockSkewMs
  try {
    return resultOf(await handle(message.event, contextOf(message)))
  } catch (error) {
    return { kind: 'error', error: reportOf(error) }
  }
}

/** Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html ("Invocation payload": 6 MB) */
const LONGEST_JSON = 6 * 1024 * 1024

/** @throws what JSON cannot hold */
function resultOf(value: unknown): RuntimeMessage {
  const json = JSON.stringify(value ?? null) ?? 'null'
  if (json.length <= LONGEST_JSON) return { kind: 'result', json }
  const errorMessage = `It returned ${json.length} characters of JSON; Lambda takes ${LONGEST_JSON} bytes at most`
  return { kind: 'error', error: { errorType: 'Function.ResponseSizeTooLarge', errorMessage } }
}

function contextOf({ requestId, functionArn, deadlineMs }: InvokeMessage): object {
  return {
    awsRequestId: requestId,
    functionName: process.env['AWS_LAMBDA_FUNCTION_NAME'],
    functionVersion: process.env['AWS_LAMBDA_FUNCTION_VERSION'],
    invokedFunctionArn: functionArn,
    memoryLimitInMB: process.env['AWS_LAMBDA_FUNCTION_MEMORY_SIZE'],
    logGroupName: process.env['AWS_LAMBDA_LOG_GROUP_NAME'],
    logStreamName: process.env['AWS_LAMBDA_LOG_STREAM_NAME'],
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => deadlineMs - SystemDate.now(),
  }
}

function tell(message: RuntimeMessage): void {
  send(channel, message)
}
