/**
 * A module of Node.js, taken when it is used. An `import` of one also loads what it exports on demand, such as
 * `WebSocket` with all of undici for `node:http`: more than the rest of a standby's start takes.
 */
export const builtin: typeof process.getBuiltinModule = process.getBuiltinModule
