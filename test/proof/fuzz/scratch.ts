import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'

/** A directory for the files of the targets. */
export const SCRATCH = mkdtempSync(join(tmpdir(), 'tenure-fuzz-'))
afterAll(() => rmSync(SCRATCH, { recursive: true, force: true }))
