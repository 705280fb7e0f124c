/** The SDK's retries in its standard mode, of which the short client has no others: same errors, same waits, same budget. */
import { isObject } from './exchange.ts'

const MOST_TRIES = 3
const BUDGET = 500
const THROTTLED = new Set([
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'ThrottlingException',
  'TransactionInProgressException',
])
const PASSING_STATUS: ReadonlySet<unknown> = new Set([500, 502, 503, 504])

/** What a retry waits for at most the first time, and what it takes from the budget. */
const AFTER_THROTTLING = { waitMs: 1_000, cost: 5 }
const AFTER_FAILURE = { waitMs: 25, cost: 14 }
type Backoff = typeof AFTER_FAILURE

/** Of one client: its calls share the budget. */
export class Retries {
  #left = BUDGET

  async call<Answer>(send: () => Promise<Answer>, signal: AbortSignal | undefined): Promise<Answer> {
    let cost = 1
    for (let tries = 1; ; tries++) {
      try {
        const answer = await send()
        this.#left = Math.min(BUDGET, this.#left + cost)
        return answer
      } catch (error) {
        const backoff = backoffAfter(error)
        if (backoff === undefined || tries === MOST_TRIES || this.#left < backoff.cost) throw withMetadata(error)
        const waitMs = Math.floor(Math.random() * backoff.waitMs * 2 ** (tries - 1))
        cost = backoff.cost
        this.#left -= cost
        await untilAborted(new Promise<void>((resolve) => setTimeout(resolve, waitMs)), signal)
      }
    }
  }
}

/** By this the shipped code tells what was sent from what could not even be made a request. */
function withMetadata(error: unknown): unknown {
  return error instanceof Error && !('$metadata' in error) ? Object.assign(error, { $metadata: {} }) : error
}

function backoffAfter(error: unknown): Backoff | undefined {
  if (!(error instanceof Error)) return undefined
  if (THROTTLED.has(error.name)) return AFTER_THROTTLING
  const { code, $metadata }: Record<string, unknown> = { ...error }
  const status = isObject($metadata) ? $metadata['httpStatusCode'] : undefined
  const isPassing = error.name === 'TimeoutError' || code === 'ECONNRESET' || PASSING_STATUS.has(status)
  return isPassing ? AFTER_FAILURE : undefined
}

async function untilAborted(waited: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return await waited
  let stop = () => undefined
  const abort = new Promise<never>((_, reject) => {
    const onAbort = () => reject(aborted())
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    stop = () => void signal.removeEventListener('abort', onAbort)
  })
  await Promise.race([waited, abort]).finally(stop)
}

export function aborted(): Error {
  return Object.assign(new Error('Request aborted'), { name: 'AbortError' })
}
