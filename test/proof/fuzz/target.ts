/**
 * One reader of outside input, and what is asked of it whatever it is given: a value as documented, or one of its documented
 * errors, which says what was wrong with the input. Never a TypeError out of its own depths, a hang, a message as long as the
 * input, or a change of what all objects inherit.
 */
import { inspect } from 'node:util'
import fc from 'fast-check'

export interface Definition<Input> {
  /** Like 'the event of a tick'. */
  readonly name: string
  readonly inputs: fc.Arbitrary<Input>
  /** Reads the input as the product does; throws {@link Broken} where what was accepted is not as documented. */
  readonly read: (input: Input) => unknown
  readonly refusals: readonly Refusal[]
  /** Milliseconds of computing: a reader that takes longer over one input can be kept busy. @default 1,000 */
  readonly longestMs?: number
}

export interface Refusal {
  readonly type: abstract new (...args: never[]) => Error
  /** What each message has, so that whoever reads it knows which input is meant. */
  readonly says: RegExp
}

/** The reader accepted what it should not have, or made something else of it. */
export class Broken extends Error {
  override readonly name = 'Broken'
}

export interface Exploration {
  readonly name: string
  readonly accepted: number
  /** How many inputs were refused with each error. */
  readonly refusals: ReadonlyMap<string, number>
  readonly refused: number
  readonly slowestMs: number
  readonly problem?: Problem
}

export interface Problem {
  readonly what: string
  /** The smallest input that was found. */
  readonly input: string
}

export interface Target {
  readonly name: string
  explore(options: { readonly seed: number; readonly runs: number }): Promise<Exploration>
}

/** Enough for ten problems of a file, too short for anybody to flood a log with. */
const LONGEST_MESSAGE = 2_000

export function target<Input>(definition: Definition<Input>): Target {
  const { name } = definition
  return { name, explore: (options) => explore(definition, options) }
}

async function explore<Input>(
  definition: Definition<Input>,
  { seed, runs }: { readonly seed: number; readonly runs: number },
): Promise<Exploration> {
  const { name } = definition
  const refusals = new Map<string, number>()
  let accepted = 0
  let refused = 0
  let slowestMs = 0

  const property = fc.asyncProperty(definition.inputs, async (input) => {
    const { refusal, fault, tookMs } = await attempt(definition, input)
    slowestMs = Math.max(slowestMs, tookMs)
    if (fault !== undefined) throw fault
    if (refusal === undefined) {
      accepted++
    } else {
      refusals.set(refusal.name, (refusals.get(refusal.name) ?? 0) + 1)
      refused++
    }
  })
  const unhandled: unknown[] = []
  const hear = (reason: unknown) => unhandled.push(reason)
  process.on('unhandledRejection', hear)
  const { failed, counterexample, errorInstance } = await fc.check(property, { seed, numRuns: runs })
  await new Promise((resolve) => setImmediate(resolve)) // Node tells of them between two turns
  process.off('unhandledRejection', hear)
  const found = { name, accepted, refused, refusals, slowestMs }
  if (unhandled.length > 0) {
    const what = `${unhandled.length} rejections that nobody handled, the first: ${shortened(textOf(unhandled[0]))}`
    return { ...found, problem: { what, input: 'one of all' } }
  }
  if (!failed) return { ...found, ...problemOfCounts(accepted, refused) }
  const what = errorInstance instanceof Error ? errorInstance.message : String(errorInstance)
  return { ...found, problem: { what, input: shown(counterexample?.[0]) } }
}

interface Attempt {
  /** What the reader threw. */
  readonly refusal?: Error
  readonly fault?: Broken
  readonly tookMs: number
}

/** Gives one input to the reader, and judges what comes of it. */
async function attempt<Input>(
  { read, refusals, longestMs = 1_000 }: Definition<Input>,
  input: Input,
): Promise<Attempt> {
  const inherited = inheritedNames()
  const cpu = process.threadCpuUsage() // of this thread alone, however busy the machine is
  let thrown: unknown
  try {
    await read(input)
  } catch (error) {
    thrown = error ?? 'nothing was thrown'
  }
  const { user, system } = process.threadCpuUsage(cpu)
  const tookMs = (user + system) / 1_000
  const refusal = thrown instanceof Error && !(thrown instanceof Broken) ? { refusal: thrown } : {}
  const broken = (what: string) => ({ ...refusal, tookMs, fault: new Broken(what) })
  if (inheritedNames() !== inherited) return broken('what all objects inherit was changed')
  if (tookMs > longestMs) return broken(`it took ${Math.round(tookMs)} ms`)
  if (thrown instanceof Broken) return { tookMs, fault: thrown }
  const wrong = thrown === undefined ? undefined : undocumented(thrown, refusals)
  return wrong === undefined ? { ...refusal, tookMs } : broken(wrong)
}

/** What is wrong with a refusal, if anything. */
function undocumented(refusal: unknown, documented: readonly Refusal[]): string | undefined {
  const kinds = documented.filter(({ type }) => refusal instanceof type)
  if (kinds.length === 0 || !(refusal instanceof Error)) return `not a documented error: ${shortened(textOf(refusal))}`
  const { message } = refusal
  if (!kinds.some(({ says }) => says.test(message)))
    return `the message does not say what was wrong: ${shortened(message)}`
  if (message.length > LONGEST_MESSAGE) return `the message has ${message.length} characters: ${shortened(message)}`
  return undefined
}

/** Inputs that are all taken, or all refused, have not come near the border between the two. */
function problemOfCounts(accepted: number, refused: number): { readonly problem?: Problem } {
  const problem = (what: string) => ({ problem: { what, input: 'all inputs together' } })
  if (accepted === 0) return problem('no input was accepted: the generator does not reach valid ones')
  if (refused === 0) return problem('no input was refused: the generator does not reach wrong ones')
  return {}
}

function inheritedNames(): string {
  return [Object.prototype, Array.prototype, Function.prototype]
    .map((prototype) => Reflect.ownKeys(prototype).length)
    .join()
}

function textOf(thrown: unknown): string {
  return thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : `thrown was ${inspect(thrown, { depth: 0 })}`
}

/** For people: an input may be long, and what was thrown as long as the input. */
function shortened(text: string): string {
  const told = text.slice(0, 100_000).replaceAll(/(.{1,8}?)\1{20,}/gsu, '$1… again and again')
  return told.length > 600 ? `${told.slice(0, 400)} … ${told.slice(-150)}` : told
}

function shown(value: unknown): string {
  return shortened(inspect(value, { depth: 6, breakLength: 200, maxArrayLength: 12 }))
}
