/**
 * Loaded before everything else (`node --import`), this plants one bug into the shipped code, in memory: no file is touched
 * and no tree copied, and processes started by processes get it too.
 *
 * - `TENURE_BUG` names the bug.
 * - `TENURE_LOADED` names a file to which the shipped files are appended that were loaded.
 */
import { appendFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { withBug } from './bug.ts'
import { BUGS } from './bugs.ts'

const ROOT = join(import.meta.dirname, '../../..')
const { TENURE_BUG: name, TENURE_LOADED: report } = process.env
const bug = BUGS.find((one) => one.name === name)
if (name !== undefined && bug === undefined) throw new Error(`There is no bug named "${name}" to plant.`)

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context)
    if (!url.startsWith('file:')) return loaded
    const file = relative(ROOT, fileURLToPath(url)).split(sep).join('/')
    if (!file.startsWith('functions/')) return loaded
    if (report !== undefined) appendFileSync(report, `${file}\n`)
    if (!bug?.edits.some((edit) => edit.file === file)) return loaded
    if (loaded.source === undefined || loaded.source === null) throw new Error(`Nothing to plant a bug into: ${file}`)
    const source = typeof loaded.source === 'string' ? loaded.source : new TextDecoder().decode(loaded.source)
    return { ...loaded, source: withBug(bug, file, source) }
  },
})
