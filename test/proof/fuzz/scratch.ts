import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Where the targets write. */
export const SCRATCH = mkdtempSync(join(tmpdir(), 'tenure-fuzz-'))

/** By whoever has run the targets. A worker of vitest ends without the event `exit`. */
export const removeScratch = () => rmSync(SCRATCH, { recursive: true, force: true })
process.once('exit', removeScratch)
