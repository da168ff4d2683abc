/**
 * A protection of one's own: secret sharing that keeps a book of what each pass told the server. Nothing else has to know
 * it: it is one more entry of the list that an owner is given.
 *
 *   npx tsx examples/own-protection.ts
 */
import { type Connection, type Protection, protections, type RunOptions } from 'sotto/engine'
import { nodeOwner } from 'sotto/node'
import { startParties } from './parties.ts'

const book: string[] = []

/** Passes everything on, and writes down what the server could tell of it: never the words. */
function recorded(connection: Connection): Connection {
  return {
    ...{ sessionId: connection.sessionId, link: connection.link, backend: connection.backend },
    texts: connection.texts,
    ...{ dealer: connection.dealer, maxTokens: connection.maxTokens },
    async run(base, input, options?: RunOptions) {
      const before = connection.counts().server.sentBytes
      const logits = await connection.run(base, input, options)
      const sent = connection.counts().server.sentBytes - before
      book.push(`${input.ids.length} tokens after ${base}, ${sent} bytes sent`)
      return logits
    },
    prepare: (onProgress) => connection.prepare(onProgress),
    abandon: () => connection.abandon(),
    close: () => connection.close(),
    counts: () => connection.counts(),
  }
}

const shared = protections.find(({ id }) => id === 'shared')!
const bookkeeping: Protection = {
  ...shared,
  notice: { ...shared.notice, title: `${shared.notice.title}, with a book` },
  connect: async (request) => recorded(await shared.connect(request)),
}

const parties = await startParties('models/sotto-demo')
const owner = nodeOwner(parties.config, { protections: [bookkeeping] })
const { model } = await owner.open({ model: 'sotto-demo' }, () => undefined)
const content = 'A table for two, please.'
const reply = await owner.chat([{ role: 'user', content }], { temperature: 0, topP: 1, maxTokens: 8 })
process.stdout.write(`${model.protection.notice.title}\n\nuser:  ${content}\nmodel: ${reply.text}\n\n`)
process.stdout.write(`What the server could tell:\n${book.map((line) => `  ${line}\n`).join('')}`)
await owner.close()
await parties.stop()
