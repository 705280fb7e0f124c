/** The wall clock of a process may be wrong: once this module is loaded, `Date` is off by what `setClockSkew` says. */
// @ts-nocheck


const SystemDate = Date
let clockSkewMs = 0
const skewedNow = () => SystemDate.now() + clockSkewMs

globalThis.Date = new Proxy(SystemDate, {
  construct: (_, args, newTarget) => Reflect.construct(SystemDate, args.length === 0 ? [skewedNow()] : args, newTarget),
  apply: () => new SystemDate(skewedNow()).toString(),
  get: (_, name) => (name === 'now' ? skewedNow : Reflect.get(SystemDate, name)),
})
SystemDate.prototype.constructor = globalThis.Date // so that `instant.constructor === Date` stays true

/** @param ms how far `Date` is ahead of the machine's clock; negative: behind */
export function setClockSkew(ms: number): void {
  clockSkewMs = ms
}

/** The machine's clock. */
export const systemNow = (): number => SystemDate.now()
