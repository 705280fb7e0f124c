/**
 * Requests on lease rows without the SDK, whose modules take longer to load than a standby needs for all the rest. In
 * Lambda only, and only if neither the environment nor a file sets anything of AWS that is unknown here: else the SDK
 * knows better. Tries, time-outs, pauses and errors are those of the SDK's standard mode, but there is no budget of
 * retries, and no header `x-amz-retry-after` that sets a pause.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.LowLevelAPI.html
 */

import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { builtin } from '../builtin.ts'
import { systemClock } from '../clock.ts'
import { parseJson, property } from '../json.ts'
import { isSignatureError, isThrottled } from './dynamodb-errors.ts'
import { type Answer, type Exchange, isOfTheNetwork, overHttp } from './lean-http.ts'
import { signed, type Variables } from './lean-signature.ts'
import type { AttributeMap } from './row.ts'
import type { SendToTable, TableAnswer, Wire } from './wire.ts'

/** Variables that say nothing about requests, or what is read here. */
const KNOWN = new RegExp(
  `^AWS_(${[
    ...['REGION', 'DEFAULT_REGION', 'ACCESS_KEY_ID', 'SECRET_ACCESS_KEY', 'SESSION_TOKEN', 'ENDPOINT_URL(_\\w+)?'],
    ...['EXECUTION_ENV', 'LAMBDA_\\w+', 'XRAY_\\w+', 'NODEJS_CONNECTION_REUSE_ENABLED'],
    ...['SDK_UA_APP_ID', 'CA_BUNDLE'], // Powertools sets the first; the SDK does not read the second
  ].join('|')})$`,
)
/** Of the partition `aws`. Elsewhere endpoints have other domains. */
const REGION = /^(af|ap|ca|eu|il|me|mx|sa|us)-(central|(north|south)?(east|west)?)-\d$/

/** A request whose clock is wrong by this much is refused; below it, nothing is corrected. */
const TOLERATED_SKEW_MS = 240_000
/** The process was frozen during a longer exchange, whose answer says nothing about the clock. */
const LONGEST_EXCHANGE_MS = 900_000
/** As the SDK's clients of DynamoDB have them by default. */
const MAX_ATTEMPTS = 4
const PAUSE_MS = 25
const THROTTLED_PAUSE_MS = 1_000

/**
 * @param options.exchange sends one try and returns its answer. @default over HTTP
 * @returns undefined if the SDK is needed
 */
export function leanTransport(
  variables: Variables,
  { exchange = overHttp, maxAttempts = MAX_ATTEMPTS } = {},
): SendToTable | undefined {
  const region = String(variables['AWS_REGION'])
  const endpoint = variables['AWS_ENDPOINT_URL_DYNAMODB'] || variables['AWS_ENDPOINT_URL']
  const isInLambda = variables['AWS_LAMBDA_FUNCTION_NAME'] !== undefined
  const hasKeys = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'].every((name) => variables[name])
  const isKnown = Object.keys(variables).every((name) => !name.startsWith('AWS_') || KNOWN.test(name))
  const isConfigured = isInLambda && hasKeys && isKnown && REGION.test(region) && !hasFiles(variables['HOME'])
  const address = endpoint || `https://dynamodb.${region}.amazonaws.com`
  if (!isConfigured || !/^https?:\/\/[^/?#@]+\/?$/.test(address) || !URL.canParse(address)) return
  const sender = new Sender({ url: new URL(address), region, variables, exchange, maxAttempts })
  return (request, wire, signal) => sender.send(request.operation, request.input, wire, signal)
}

/** Where the SDK finds further settings. */
function hasFiles(home: string | undefined): boolean {
  return (
    Boolean(home) && ['config', 'credentials'].some((name) => builtin('node:fs').existsSync(`${home}/.aws/${name}`))
  )
}

interface SenderOptions {
  readonly url: URL
  readonly region: string
  readonly variables: Variables
  readonly exchange: Exchange
  readonly maxAttempts: number
}

class Sender {
  readonly #options: SenderOptions
  /** What must be added to this machine's clock. */
  #correctionMs = 0

  constructor(options: SenderOptions) {
    this.#options = options
  }

  async send(operation: string, input: object, wire: Wire, signal?: AbortSignal): Promise<TableAnswer> {
    const { maxAttempts } = this.#options
    const body = JSON.stringify(input, base64)
    for (let tries = 1; ; tries++) {
      const correctionMs = this.#correctionMs
      const tried = await this.#try(operation, body, wire, signal)
      if (!(tried instanceof Error)) return tried
      if (tries === maxAttempts || !mayPass(tried, this.#correctionMs !== correctionMs)) throw tried
      const pauseMs = isThrottled(tried) ? THROTTLED_PAUSE_MS : PAUSE_MS
      await systemClock.sleep(Math.random() * pauseMs * 2 ** (tries - 1), signal)
      if (signal?.aborted) throw tried
    }
  }

  async #try(operation: string, body: string, wire: Wire, signal?: AbortSignal): Promise<TableAnswer | Error> {
    const sentAtMs = Date.now()
    const timeMs = sentAtMs + this.#correctionMs
    const { url, region, variables, exchange } = this.#options
    const headers = signed({ host: url.host, operation, body, timeMs, region, variables })
    wire.trySent()
    try {
      const {
        statusCode,
        headers: given,
        text,
      } = await exchange({
        ...{ url, headers, body, signal },
        headCame: (statusCode, dateMs) => {
          wire.headCame(statusCode, dateMs)
          this.#correct(dateMs, sentAtMs)
        },
      })
      if (statusCode < 300) return answerOf(JSON.parse(text))
      const error = refusalOf(parseJson(text), statusCode, given)
      wire.tryFailed(error)
      return error
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown : new Error(String(thrown))
      wire.tryFailed(error)
      return error
    }
  }

  #correct(serverMs: number, sentAtMs: number): void {
    if (Date.now() - sentAtMs > LONGEST_EXCHANGE_MS) return
    const correctionMs = serverMs - sentAtMs
    if (Math.abs(correctionMs - this.#correctionMs) >= TOLERATED_SKEW_MS) this.#correctionMs = correctionMs
  }
}

function mayPass(error: Error, wasClockCorrected: boolean): boolean {
  const statusCode = Number(property(property(error, '$metadata'), 'httpStatusCode'))
  return (
    isThrottled(error) ||
    (isSignatureError(error) && (wasClockCorrected || error.message.includes('Signature expired'))) ||
    error.name === 'RequestTimeoutException' ||
    [429, 500, 502, 503, 504].includes(statusCode) ||
    isOfTheNetwork(error)
  )
}

/** As the SDK's error of that name. */
function refusalOf(answer: unknown, httpStatusCode: number, headers: Answer['headers']): Error {
  const type = headers['x-amzn-errortype'] ?? property(answer, '__type') ?? 'UnknownError'
  // Without a pattern: from each place of a long text, `.*#` looks through all of the rest.
  const path = String(type).split(/[,:]/, 1).join()
  const name = path.slice(path.lastIndexOf('#') + 1)
  const message = property(answer, 'message') ?? property(answer, 'Message') ?? name
  const item = property(answer, 'Item')
  return Object.assign(new Error(String(message)), {
    name,
    $fault: httpStatusCode < 500 ? 'client' : 'server',
    $metadata: { httpStatusCode, requestId: headers['x-amzn-requestid'] },
    ...(item === undefined ? {} : { Item: rowOf(item) }),
  })
}

function answerOf(answer: unknown): TableAnswer {
  const [attributes, item, items, last] = ['Attributes', 'Item', 'Items', 'LastEvaluatedKey'].map((name) =>
    property(answer, name),
  )
  return {
    ...(attributes === undefined ? {} : { Attributes: rowOf(attributes) }),
    ...(item === undefined ? {} : { Item: rowOf(item) }),
    ...(Array.isArray(items) ? { Items: items.map(rowOf) } : {}),
    ...(last === undefined ? {} : { LastEvaluatedKey: rowOf(last) }),
  }
}

function rowOf(row: unknown): AttributeMap {
  return Object.fromEntries(Object.entries(Object(row)).map(([name, value]) => [name, attributeOf(value)]))
}

/** Binary values travel as base64. */
function attributeOf(value: unknown): AttributeValue {
  const attribute: AttributeValue = Object(value)
  const { M, L, B, BS } = attribute
  if (M !== undefined) return { M: rowOf(M) }
  if (Array.isArray(L)) return { L: L.map(attributeOf) }
  if (B !== undefined) return { B: bytesOf(B) }
  return Array.isArray(BS) ? { BS: BS.map(bytesOf) } : attribute
}

function bytesOf(text: unknown): Uint8Array {
  return new Uint8Array(Buffer.from(String(text), 'base64'))
}

/** For `JSON.stringify`, which has called a Buffer's own `toJSON`. */
function base64(this: unknown, name: string, value: unknown): unknown {
  const given = property(this, name)
  return given instanceof Uint8Array ? Buffer.from(given).toString('base64') : value
}
