/** Copies of the caller's values: a request may wait or be sent again, and later changes must not reach it. */
import { builtin } from './builtin.ts'

/**
 * A copy of a request's input: of arrays, plain objects, Maps, Sets and binary values. Other values, such as instances
 * of classes, are kept: the caller's document client reads them by its options.
 */
export function copied<Value>(value: Value): Value
export function copied(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((element: unknown) => copied(element))
  if (builtin('node:util').types.isUint8Array(value)) return new Uint8Array(value)
  if (ArrayBuffer.isView(value) || builtin('node:util').types.isArrayBuffer(value)) return structuredClone(value)
  const className = classNameOf(value)
  if (builtin('node:util').types.isSet(value) && className === 'Set') return new Set(Array.from(value, copied))
  if (builtin('node:util').types.isMap(value) && className === 'Map') {
    return new Map(Array.from(value, ([key, element]) => [key, copied(element)]))
  }
  if (!isPlainObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, element]) => [key, copied(element)]))
}

/** By name, because another realm has other class objects. */
export function classNameOf(value: object): string {
  const { constructor: madeBy }: Readonly<Record<string, unknown>> = Object(Object.getPrototypeOf(value))
  return typeof madeBy === 'function' ? String(madeBy.name) : ''
}

/** Of this realm or another; or without a prototype. */
export function isPlainObject(value: object): boolean {
  const prototype: object | null = Object.getPrototypeOf(value)
  if (prototype === null) return true
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'isPrototypeOf')
}
