/** The command line: `sotto <command> [options]`. */
import { run } from './run.ts'

process.exitCode = await run(process.argv.slice(2))
// Listening for the parent's end would keep a command that is over alive.
if (process.connected) process.disconnect()
