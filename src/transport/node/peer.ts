/** The network address that limits are counted by. */
import type { IncomingMessage } from 'node:http'

/** Behind a reverse proxy of one's own, the last entry of `x-forwarded-for` is what that proxy saw. */
export function peerAddress(request: IncomingMessage | undefined, trustProxy: boolean): string {
  const forwarded = trustProxy ? request?.headers['x-forwarded-for'] : undefined
  const list = Array.isArray(forwarded) ? forwarded.join() : forwarded
  return list?.split(',').at(-1)?.trim() || request?.socket.remoteAddress || 'unknown'
}
