/** The deployed stacks on one machine; `npm start -- --help` lists the flags. */
import { main } from './cli/main.ts'

process.exitCode = await main(process.argv.slice(2))
