import { Worker } from 'node:worker_threads'
import type { Exploration } from './explorer.ts'
import type { FromWorker } from './worker.ts'
import type { World } from './world.ts'

export interface Explored {
  readonly world: World
  readonly exploration: Exploration
}

export interface PoolOptions {
  readonly threads: number
  readonly onProgress: (worlds: number, states: number) => void
}

/** States and their parts of one world at a time: some hundred MB in each thread, most of them outside of its heap. */
const HEAP_MB = 2_000

/**
 * Explores worlds in threads, and answers in their order. Where a claim breaks that must hold, the rest is left out: the
 * first counterexample is what matters then.
 */
export async function exploreAll(worlds: readonly World[], options: PoolOptions): Promise<readonly Explored[]> {
  const found = new Map<World, Exploration>()
  const pending = [...worlds]
  const underWay = new Map<Worker, number>()
  const tell = () => {
    const done = [...found.values()].reduce((sum, { states }) => sum + states, 0)
    options.onProgress(
      found.size,
      [...underWay.values()].reduce((sum, states) => sum + states, done),
    )
  }
  const workers = Array.from({ length: Math.min(options.threads, worlds.length) }, startWorker)
  try {
    await Promise.all(
      workers.map(async (worker) => {
        for (let world = pending.shift(); world !== undefined; world = pending.shift()) {
          const exploration = await exploreIn(worker, world, (states) => {
            underWay.set(worker, states)
            tell()
          })
          underWay.delete(worker)
          found.set(world, exploration)
          if (!exploration.exhausted) pending.length = 0
        }
      }),
    )
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()))
  }
  return worlds.flatMap((world) => {
    const exploration = found.get(world)
    return exploration === undefined ? [] : [{ world, exploration }]
  })
}

function startWorker(): Worker {
  return new Worker(new URL('worker.ts', import.meta.url), { resourceLimits: { maxOldGenerationSizeMb: HEAP_MB } })
}

async function exploreIn(worker: Worker, world: World, onProgress: (states: number) => void): Promise<Exploration> {
  return await new Promise((resolve, reject) => {
    const settle = (then: () => void) => {
      worker.off('message', hear).off('error', reject)
      then()
    }
    const hear = (message: FromWorker) => {
      if (message.kind === 'progress') onProgress(message.states)
      else settle(() => resolve(message.exploration))
    }
    worker.on('message', hear).on('error', reject)
    worker.postMessage(world)
  })
}
