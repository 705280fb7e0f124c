/** The deployed stacks on one machine; `npm start -- --help` lists the flags. */
// @ts-nocheck

import { run } from './cli/command.ts'
import { start } from './cli/start.ts'

process.exitCode = await run(start(), process.argv.slice(2))
