/**
 * One reader of outside input. For any input it returns a value as documented, or throws a documented error that names
 * what is wrong: never a TypeError of its own, a hang, a message as long as the input, or a change of what all objects
 * inherit. A rejection that is not handled fails the run of vitest.
 */
// @ts-nocheck

import { inspect } from 'node:util'
import fc from 'fast-check'

/** A documented error, and what its message has. */
type Refusal = readonly [type: abstract new (...args: never[]) => Error, says: RegExp]

export type Target = ReturnType<typeof target>

/** The reader accepted what it should not have, or made something else of it. */
export class Broken extends Error {}

/** @throws Broken */
export function assert(condition: boolean, otherwise: string): asserts condition {
  if (!condition) throw new Broken(otherwise)
}

/** Enough for ten problems of a file, too short to flood a log. */
const LONGEST_MESSAGE = 2_000
/** Of computing, for one input. */
const LONGEST_MS = 1_000

/** @param read reads the input as the product does; throws {@link Broken} if what it accepts is not as documented */
export function target<Input>(
  name: string,
  inputs: fc.Arbitrary<Input>,
  read: (input: Input) => unknown,
  ...refusals: readonly Refusal[]
) {
  /** @throws Error with the smallest input that breaks the reader */
  const check = async (options: { readonly seed?: number; readonly numRuns: number }) => {
    const counts = { accepted: 0, refused: 0 }
    const property = fc.asyncProperty(inputs, async (input) => {
      counts[await outcomeOf(() => read(input), refusals)]++
    })
    await fc.assert(property, { ...options, includeErrorInReport: true })
    assert(counts.accepted > 0, 'no input was accepted: the generator does not reach valid ones')
    assert(counts.refused > 0, 'no input was refused: the generator does not reach wrong ones')
    return counts
  }
  return { name, check }
}

async function outcomeOf(read: () => unknown, refusals: readonly Refusal[]): Promise<'accepted' | 'refused'> {
  const inherited = inheritedNames()
  const cpu = process.threadCpuUsage() // of this thread, however busy the machine is
  let thrown: { readonly error: unknown } | undefined
  try {
    await read()
  } catch (error) {
    thrown = { error }
  }
  const { user, system } = process.threadCpuUsage(cpu)
  assert(inheritedNames() === inherited, 'what all objects inherit was changed')
  assert(user + system <= LONGEST_MS * 1_000, `it took ${Math.round((user + system) / 1_000)} ms`)
  if (thrown === undefined) return 'accepted'
  const { error } = thrown
  if (error instanceof Broken) throw error
  const documented = refusals.filter(([type]) => error instanceof type)
  assert(error instanceof Error && documented.length > 0, `not a documented error: ${shortened(error)}`)
  const { message } = error
  const isClear = documented.some(([, says]) => says.test(message))
  assert(isClear, `the message does not say what was wrong: ${message}`)
  assert(message.length <= LONGEST_MESSAGE, `the message has ${message.length} characters: ${shortened(message)}`)
  return 'refused'
}

function inheritedNames(): string {
  return [Object.prototype, Array.prototype, Function.prototype].map((one) => Reflect.ownKeys(one).length).join()
}

function shortened(value: unknown): string {
  const text = value instanceof Error ? `${value.name}: ${value.message}` : inspect(value, { depth: 0 })
  return text.slice(0, 400)
}
