/**
 * Records all transcripts anew: `npx tsx test/transcripts/record.ts`. Only for a change that is meant to change them; the
 * difference of `recorded.json` then shows which model, pass and direction it was.
 */
import { writeFileSync } from 'node:fs'
import { cases } from './cases.ts'
import { publicMetadata, type Transcript, transcribe } from './run.ts'
import { agreement } from './run-agreement.ts'

const transcripts: Record<string, Transcript> = {}
for (const [name, one] of Object.entries(cases)) {
  const started = performance.now()
  transcripts[name] = await transcribe(one)
  process.stderr.write(`${name}: ${((performance.now() - started) / 1000).toFixed(1)} s\n`)
}
const recorded = { publicMetadata: publicMetadata(), agreement: await agreement(), transcripts }
writeFileSync(new URL('recorded.json', import.meta.url), `${JSON.stringify(recorded, null, 2)}\n`)
