/** Proxies that note every byte of the TCP connections through them. */
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** What crossed one connection. */
export interface Tapped {
  /** From the side that opened it. */
  readonly up: Buffer[]
  readonly down: Buffer[]
}

/** A reply's first so many bytes are what `holdMs` delays. */
const HELD_BYTES = 1024

export interface Tap {
  readonly url: string
  readonly connections: readonly Tapped[]
  /** What came from the sides that opened them, in the order of its arrival over all connections. */
  readonly heard: readonly { from: Tapped; part: Buffer }[]
  close(): void
}

/**
 * Listens on a free port of loopback and passes everything on to `url`'s. `holdMs` delays the beginning of what comes
 * back, so that the other end seems far away.
 */
export async function tap(url: string, holdMs = 0): Promise<Tap> {
  const connections: Tapped[] = []
  const heard: { from: Tapped; part: Buffer }[] = []
  const sockets = new Set<Socket>()
  const server: Server = createServer((near) => {
    const far = connect({ host: '127.0.0.1', port: Number(new URL(url).port), noDelay: true })
    near.setNoDelay(true)
    const noted: Tapped = { up: [], down: [] }
    connections.push(noted)
    near.on('data', (part: Buffer) => {
      noted.up.push(part)
      heard.push({ from: noted, part })
    })
    near.pipe(far)
    let held = 0
    let order = Promise.resolve()
    far.on('data', (part: Buffer) => {
      noted.down.push(part)
      if (held < HELD_BYTES && holdMs > 0)
        order = order.then(() => new Promise((resolve) => setTimeout(resolve, holdMs)))
      held += part.length
      order = order.then(() => void near.write(part))
    })
    far.on('end', () => void order.then(() => near.end()))
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('error', () => socket.destroy())
      socket.on('close', () => sockets.delete(socket))
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections,
    heard,
    close: () => {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}
