/**
 * Modules of Node.js, taken when they are used. An `import` of one also loads what it exports on demand, such as
 * `WebSocket` with all of undici for `node:http`: more than the rest of a standby's start takes.
 */
// @ts-nocheck

export const builtins = {
  get crypto() {
    return process.getBuiltinModule('node:crypto')
  },
  get fs() {
    return process.getBuiltinModule('node:fs')
  },
  get http() {
    return process.getBuiltinModule('node:http')
  },
  get https() {
    return process.getBuiltinModule('node:https')
  },
  get os() {
    return process.getBuiltinModule('node:os')
  },
  get util() {
    return process.getBuiltinModule('node:util')
  },
}
