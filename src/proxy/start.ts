/** The proxy as a server. */
import type { Logger } from 'pino'
import type { Sotto } from '../client/sotto.ts'
import { type Listening, listen } from '../transport/node/http.ts'
import { Visitors } from '../transport/node/visitors.ts'
import { isLoopback } from '../transport/party-url.ts'
import { MOST_REQUESTS, proxyApp } from './app.ts'

/** Where to listen, and who may ask. */
export interface StartProxy {
  /** Computes the answers. The proxy closes it when it is closed. */
  sotto: Sotto
  /** An address of this machine that no other one reaches. */
  host: string
  /** 0 takes any free one. */
  port: number
  /** What every request has to bring as its API key; without one every program of this machine may ask. */
  key?: string
  /** Origins of pages that may ask; none if empty. */
  origins: readonly string[]
  /** Requests at once, waiting ones included; others are told to come back. 32 if not given. */
  most?: number
  log: Logger
}

/** A proxy that listens. */
export interface RunningProxy {
  /** Such as `http://127.0.0.1:8430/v1`: what OpenAI's clients call the base URL. */
  readonly url: string
  close(): Promise<void>
}

/**
 * Serves OpenAI's API to this machine. Rejects where the port is taken, and throws `RangeError` for an address that others
 * reach: texts are in the clear on the way to the proxy.
 */
export async function startProxy({
  sotto,
  host,
  port,
  key,
  origins,
  most = MOST_REQUESTS,
  log,
}: StartProxy): Promise<RunningProxy> {
  if (!isLoopback(host))
    throw new RangeError(
      `${host} can be reached from elsewhere, and texts go to the proxy in the clear: use 127.0.0.1.`,
    )
  const visitors = new Visitors({ origins, names: [] })
  const app = proxyApp({ sotto, most, key, origins, visitors, log })
  const listening: Listening = await listen({ app, host, port })
  return {
    url: `${listening.url}/v1`,
    async close() {
      await listening.close()
      await sotto.close()
    },
  }
}
