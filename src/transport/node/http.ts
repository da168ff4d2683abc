/** Listening for HTTP or HTTPS, with WebSocket upgrades, on top of a hono app. */
import type { IncomingMessage } from 'node:http'
import { createServer as createHttpServer } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { createAdaptorServer, type HttpBindings } from '@hono/node-server'
import type { Hono } from 'hono'
import type { Tls } from './certificate.ts'

/** What to listen with, and where. */
export interface ListenOptions {
  app: Hono<{ Bindings: HttpBindings }>
  host: string
  /** 0 takes any free one. */
  port: number
  tls?: Tls
  onUpgrade?: (request: IncomingMessage, socket: Duplex, head: Buffer) => void
}

/** A port that is listened on. */
export interface Listening {
  /** Such as `http://127.0.0.1:8080`. */
  url: string
  port: number
  /** Stops taking requests, lets running ones finish for a moment, then cuts them. */
  close(): Promise<void>
}

/** Rejects with a plain explanation where the port is taken. */
export async function listen({ app, host, port, tls, onUpgrade }: ListenOptions): Promise<Listening> {
  const fetch = app.fetch as Parameters<typeof createAdaptorServer>[0]['fetch']
  const server = createAdaptorServer(
    tls
      ? { fetch, createServer: createHttpsServer, serverOptions: tls }
      : { fetch, createServer: createHttpServer },
  )
  if (onUpgrade) server.on('upgrade', onUpgrade)
  if ('keepAliveTimeout' in server) {
    server.keepAliveTimeout = 65_000
    // Nobody needs long for a request line and a few headers, and a socket that says nothing is a place taken.
    server.headersTimeout = 15_000
    server.maxHeadersCount = 100
  }
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken = error.code === 'EADDRINUSE'
      reject(
        taken ? new Error(`Port ${port} is in use. Give another one with --port.`, { cause: error }) : error,
      )
    })
    server.listen(port, host, resolve)
  })
  const bound = (server.address() as AddressInfo).port
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host.includes(':') ? `[${host}]` : host
  return {
    url: `${tls ? 'https' : 'http'}://${name}:${bound}`,
    port: bound,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        if (!('closeAllConnections' in server)) return
        server.closeIdleConnections()
        setTimeout(() => server.closeAllConnections(), 500).unref()
      }),
  }
}
