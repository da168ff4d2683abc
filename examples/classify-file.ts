/**
 * Labels for the texts of a file, one a line, that the server never sees.
 *
 *   npx tsx examples/classify-file.ts examples/questions.txt
 */
import { readFileSync } from 'node:fs'
import { nodeOwner } from 'sotto/node'
import { startParties } from './parties.ts'

const file = process.argv[2] ?? new URL('questions.txt', import.meta.url)
const texts = readFileSync(file, 'utf8').split('\n').filter(Boolean)
const parties = await startParties('models/banking77')
const owner = nodeOwner(parties.config)

await owner.open({ model: 'banking77' }, (event) => {
  if (event.type !== 'classified') return
  const { label, probabilities } = event.result
  const most = Math.max(...probabilities.map(({ probability }) => probability))
  process.stdout.write(`${texts[event.index].padEnd(48)} ${label} (${(100 * most).toFixed(0)} %)\n`)
})
const results = await owner.classify(texts.map((text) => ({ text })))

const { hops, upBytes } = owner.totals()
process.stdout.write(`\n${results.length} texts, ${hops} hops, ${upBytes} bytes sent to the server\n`)
await owner.close()
await parties.stop()
