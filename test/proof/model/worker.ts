/** Explores one world after another in a thread of its own. */
import { parentPort } from 'node:worker_threads'
import { type Exploration, explore } from './explorer.ts'
import type { World } from './world.ts'

export type FromWorker =
  | { readonly kind: 'progress'; readonly states: number }
  | { readonly kind: 'explored'; readonly exploration: Exploration }

parentPort?.on('message', (world: World) => {
  const exploration = explore(world, { onProgress: (states) => say({ kind: 'progress', states }) })
  say({ kind: 'explored', exploration })
})

function say(message: FromWorker): void {
  parentPort?.postMessage(message)
}
