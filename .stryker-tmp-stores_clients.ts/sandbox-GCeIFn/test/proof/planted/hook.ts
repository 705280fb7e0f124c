/**
 * Loaded before everything else (`node --import`), this plants the bug that `PLANTED_BUG` names into the shipped code,
 * only in memory.
 */
// @ts-nocheck

import { registerHooks } from 'node:module'
import { join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { withBug } from './bug.ts'
import { BUGS } from './bugs.ts'

const ROOT = join(import.meta.dirname, '../../..')
const name = process.env['PLANTED_BUG']
const bug = BUGS.find((one) => one.name === name)
if (name !== undefined && bug === undefined) throw new Error(`There is no bug named "${name}" to plant.`)

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context)
    const file = url.startsWith('file:') ? relative(ROOT, fileURLToPath(url)).split(sep).join('/') : ''
    if (!bug?.edits.some((edit) => edit.file === file)) return loaded
    if (loaded.source === undefined || loaded.source === null) throw new Error(`There is no source of ${file}`)
    const source = typeof loaded.source === 'string' ? loaded.source : new TextDecoder().decode(loaded.source)
    return { ...loaded, source: withBug(bug, file, source) }
  },
})
