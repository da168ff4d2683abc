/**
 * A model server and a dealer in this process, for the other examples. In earnest each runs on a machine of its own, under
 * another operator (docs/deploying.md): one process that has both could read everything.
 */
import pino from 'pino'
import type { PageConfig } from 'sotto'
import {
  createNodeKernels,
  newIdentity,
  PlanDealer,
  readCatalog,
  startDealer,
  startServer,
  toBase64Url,
} from 'sotto/node'

const log = pino({ level: 'error' }, pino.destination(2))
const loopback = { log, host: '127.0.0.1', port: 0, origins: [] }

/** Serves the bundle in `folder`. What a data owner has to know of the parties, and how to stop them. */
export async function startParties(
  folder: string,
): Promise<{ config: PageConfig; stop: () => Promise<void> }> {
  const [serverIdentity, dealerIdentity] = [newIdentity(), newIdentity()]
  const dealer = await startDealer({
    ...loopback,
    identity: dealerIdentity,
    allow: [toBase64Url(serverIdentity.publicKey)],
    makeEngine: (serverKey) => new PlanDealer(createNodeKernels(), new Map(), serverKey),
  })
  const server = await startServer({
    ...loopback,
    identity: serverIdentity,
    catalog: await readCatalog(folder),
    settings: { shared: { dealer: { url: dealer.url, key: dealerIdentity.publicKey } } },
  })
  await server.whenReady()
  return {
    config: {
      server: server.url,
      protections: { shared: { dealer: { url: dealer.url, key: toBase64Url(dealerIdentity.publicKey) } } },
    },
    async stop() {
      await server.close()
      await dealer.close()
    },
  }
}
