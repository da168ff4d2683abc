/**
 * A reply from a private model, token by token, with all three parties in this process.
 *
 *   npx tsx examples/complete.ts "I need a hotel in Paris."
 */
import { nodeOwner } from 'sotto/node'
import { startParties } from './parties.ts'

const content = process.argv[2] ?? 'I need a hotel in Paris.'
const parties = await startParties('models/sotto-demo')
const owner = nodeOwner(parties.config)

process.stdout.write(`user:  ${content}\nmodel: `)
const session = await owner.open({ model: 'sotto-demo' }, (event) => {
  if (event.type === 'token') process.stdout.write(event.text)
})
const { finish } = await owner.chat([{ role: 'user', content }], { temperature: 0, topP: 1, maxTokens: 24 })

const { rows, hops, upBytes, downBytes, dealerBytes } = owner.totals()
process.stdout.write(`

ended by         ${finish}
computed under   ${session.model.protection.notice.title}: ${session.model.protection.notice.summary}
connected by     ${session.link.reason}
tokens           ${rows}
hops             ${hops}
owner to server  ${upBytes} bytes
server to owner  ${downBytes} bytes
dealer to server ${dealerBytes} bytes
`)
await owner.close()
await parties.stop()
