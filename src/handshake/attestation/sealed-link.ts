/** A link whose messages only both ends of an attested channel can read. Browser-safe. */
import type { Link } from '../../transport/link.ts'
import { SessionError } from '../errors.ts'

/** One end of a channel: the owner's, or the enclave's. */
interface ChannelEnd {
  seal(message: Uint8Array): Promise<Uint8Array>
  open(message: Uint8Array): Promise<Uint8Array>
}

/** Messages stay in order. `receive` rejects with `SessionError` `bad-mac` for one that was altered, repeated or left out. */
export function sealedLink(link: Link, channel: ChannelEnd): Link {
  let sending: Promise<unknown> = Promise.resolve()
  let receiving: Promise<unknown> = Promise.resolve()
  return {
    kind: link.kind,
    traffic: link.traffic,
    send(message, reply) {
      // Its caller may use the bytes for something else meanwhile.
      const own = message.slice()
      const turn = sending.then(async () => link.send(await channel.seal(own), reply))
      sending = turn.catch(() => undefined)
      return turn
    },
    receive() {
      const turn = receiving.then(async () => opened(channel, await link.receive()))
      receiving = turn.catch(() => undefined)
      return turn
    },
    close: (reason, because) => link.close(reason, because),
    greeted: link.greeted && (() => link.greeted?.()),
    onEnd: link.onEnd && ((listener) => link.onEnd?.(listener)),
  }
}

const opened = (channel: ChannelEnd, message: Uint8Array): Promise<Uint8Array> =>
  channel.open(message).catch((cause: unknown) => {
    throw new SessionError('bad-mac', 'A message was altered, repeated or left out on the way.', { cause })
  })
