/** The network address that limits are counted by. */
import type { IncomingMessage } from 'node:http'
import { isIPv6 } from 'node:net'

/** Behind a reverse proxy of one's own, the last entry of `x-forwarded-for` is what that proxy saw. */
export function peerAddress(request: IncomingMessage | undefined, trustProxy: boolean): string {
  const forwarded = trustProxy ? request?.headers['x-forwarded-for'] : undefined
  const list = Array.isArray(forwarded) ? forwarded.join() : forwarded
  return network(list?.split(',').at(-1)?.trim() || request?.socket.remoteAddress || 'unknown')
}

/** An IPv6 subscriber owns a /64 (RFC 6177) and could be a new address at every call, so its network is what counts. */
export function network(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)
  if (mapped) return mapped[1]
  const [plain] = address.split('%')
  if (!isIPv6(plain)) return address
  const [head, tail] = plain.split('::')
  const groups = head === '' ? [] : head.split(':')
  const rest = tail ? tail.split(':') : []
  const zeros = tail === undefined ? 0 : 8 - groups.length - rest.length
  const all = [...groups, ...Array<string>(Math.max(0, zeros)).fill('0'), ...rest]
  const first = all.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16))
  return `${first.join(':')}::/64`
}
