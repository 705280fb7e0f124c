/**
 * The program of each execution environment: loads the function's handler, then serves one invocation after the other,
 * as Lambda's Node.js runtime does for asynchronous handlers (the only ones that nodejs24.x accepts).
 * Source: https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html
 */
// @ts-nocheck

import { existsSync } from 'node:fs'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { CHANNEL_FD, type InvokeMessage, onLine, type RuntimeMessage, reportOf, send } from './messages.ts'
import { setClockSkew, systemNow } from './skewed-date.ts'

type Handler = (event: unknown, context: object) => unknown

/** Errors of the SDK have many frames of its own above those of the function. */
Error.stackTraceLimit = 50

const channel = new Socket({ fd: CHANNEL_FD, readable: true, writable: true })
channel.on('error', () => {}).on('close', () => process.exit(1)) // the host has ended

const failed = (error: unknown): RuntimeMessage => ({ kind: 'error', error: reportOf(error) })
const { LAMBDA_TASK_ROOT = '', _HANDLER = '' } = process.env
const handler = await loadHandler(LAMBDA_TASK_ROOT, _HANDLER).catch((error) => send(channel, failed(error)))
if (handler !== undefined) {
  onLine(channel, async (line) => send(channel, await invoke(handler, JSON.parse(line))))
  send(channel, { kind: 'result', json: 'null' })
}

/** @param name `file.export`, the file without its extension */
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

async function invoke(handle: Handler, message: InvokeMessage): Promise<RuntimeMessage> {
  setClockSkew(message.clockSkewMs)
  try {
    const value = await handle(message.event, contextOf(message))
    return { kind: 'result', json: JSON.stringify(value ?? null) ?? 'null' }
  } catch (error) {
    return failed(error)
  }
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
    getRemainingTimeInMillis: () => deadlineMs - systemNow(),
  }
}
