// @ts-nocheck
import type { DurableContext } from '@aws/durable-execution-sdk-js'

/** Runs the function of a step, and returns what it returns. */
export type InStep = (run: () => unknown) => Promise<unknown>

type Wrap = (argument: unknown, inStep: InStep) => unknown

const step: Wrap = (argument, inStep) =>
  typeof argument === 'function'
    ? (...given: readonly unknown[]) => inStep(() => Reflect.apply(argument, undefined, given))
    : argument

const branch: Wrap = (argument, inStep) =>
  typeof argument === 'function'
    ? (child: DurableContext, ...given: readonly unknown[]) =>
        Reflect.apply(argument, undefined, [wrapSteps(child, inStep), ...given])
    : argument

const branches: Wrap = (argument, inStep) =>
  Array.isArray(argument)
    ? argument.map((one: unknown) =>
        typeof one === 'object' && one !== null && 'func' in one
          ? { ...one, func: branch(one.func, inStep) }
          : branch(one, inStep),
      )
    : argument

/** The operations that call functions of the task, and how each of their arguments is wrapped. */
const WRAPS: ReadonlyMap<string | symbol, Wrap> = new Map([
  ['step', step],
  ['waitForCondition', step],
  ['waitForCallback', step],
  ['runInChildContext', branch],
  ['map', branch],
  ['parallel', branches],
])

/**
 * The context, but each function that runs as a step, in it or in its child contexts, runs by `inStep`. A replay does
 * not call the functions of recorded steps.
 */
export function wrapSteps(ctx: DurableContext, inStep: InStep): DurableContext {
  return new Proxy(ctx, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name)
      if (typeof member !== 'function') return member
      const wrap = WRAPS.get(name)
      return (...given: readonly unknown[]) =>
        Reflect.apply(member, target, wrap === undefined ? given : given.map((argument) => wrap(argument, inStep)))
    },
  })
}
