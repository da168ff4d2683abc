/** From bytes of a TCP connection back to what the programs at its ends meant. */
import { decodeFrame, FrameFlag, FrameType } from '../../src/transport/frame.ts'
import type { Tap, Tapped } from './tap.ts'

export interface HttpRequest {
  /** Such as `POST /session HTTP/1.1`. */
  readonly line: string
  /** Names only, sorted. */
  readonly headers: string[]
  readonly body: Buffer
}

interface Head {
  readonly line: string
  readonly fields: ReadonlyMap<string, string>
  readonly size: number
}

function head(bytes: Buffer): Head | undefined {
  const end = bytes.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const [line, ...rest] = bytes.subarray(0, end).toString('latin1').split('\r\n')
  const pairs = rest.map((field) => field.split(/:\s*/, 2) as [string, string])
  return { line, fields: new Map(pairs.map(([name, v]) => [name.toLowerCase(), v])), size: end + 4 }
}

/**
 * Requests of HTTP/1.1 clients through a tap, in the order of their last bytes: a client may use several connections.
 * Throws `RangeError` where one is cut.
 */
export function httpRequests(tap: Tap): HttpRequest[] {
  const requests: HttpRequest[] = []
  const rests = new Map<Tapped, Buffer>()
  for (const { from, part } of tap.heard) {
    let rest = Buffer.concat([rests.get(from) ?? Buffer.alloc(0), part])
    for (let next = head(rest); next; next = head(rest)) {
      const { line, fields, size } = next
      const end = size + Number(fields.get('content-length') ?? 0)
      if (rest.length < end) break
      requests.push({ line, headers: [...fields.keys()].sort(), body: rest.subarray(size, end) })
      rest = rest.subarray(end)
    }
    rests.set(from, rest)
  }
  for (const rest of rests.values()) if (rest.length > 0) throw new RangeError('a request is cut')
  return requests
}

/** Whether the bytes of a client ask for a WebSocket. */
export const isUpgrade = (bytes: Buffer): boolean => head(bytes)?.fields.get('upgrade') === 'websocket'

/** Binary messages behind the handshake of a WebSocket (RFC 6455), of either side. Throws `RangeError` on others. */
export function socketMessages(bytes: Buffer): Buffer[] {
  const out: Buffer[] = []
  let at = head(bytes)?.size ?? bytes.length
  while (at + 2 <= bytes.length) {
    const [first, second] = [bytes[at], bytes[at + 1]]
    let size = second & 127
    at += 2
    if (size === 126) {
      size = bytes.readUInt16BE(at)
      at += 2
    } else if (size === 127) {
      size = Number(bytes.readBigUInt64BE(at))
      at += 8
    }
    const mask = second & 128 ? bytes.subarray(at, at + 4) : undefined
    if (mask) at += 4
    if (at + size > bytes.length) throw new RangeError('a WebSocket frame is cut')
    const payload = Buffer.from(bytes.subarray(at, at + size))
    at += size
    if (mask) for (let i = 0; i < size; i++) payload[i] ^= mask[i & 3]
    const kind = first & 15
    // 8 to 10 close, ask and answer; a message of ours is one binary frame.
    if (kind >= 8) continue
    if (first !== 0x82) throw new RangeError(`a WebSocket frame begins with ${first}`)
    out.push(payload)
  }
  return out
}

/** Messages of a link, from its frames in whatever order they were sent first. */
export function linkMessages(frames: readonly Buffer[]): Uint8Array[] {
  const out: Uint8Array[] = []
  let parts: Uint8Array[] = []
  let last = 0
  for (const bytes of frames) {
    const { type, flags, seq, payload } = decodeFrame(bytes)
    // Sent again, the frame has the same bytes.
    if (type !== FrameType.data || seq <= last) continue
    if (seq !== last + 1) throw new RangeError(`frame ${seq} follows ${last}`)
    last = seq
    parts.push(payload)
    if (!(flags & FrameFlag.end)) continue
    out.push(new Uint8Array(Buffer.concat(parts)))
    parts = []
  }
  return out
}
