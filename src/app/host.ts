/** What the window does for the engine in its worker. */
import { transfer } from 'comlink'
import { OwnerError, type OwnerHost } from '../owner/api.ts'
import { openRelay } from '../transport/webrtc-relay.ts'

export const host: OwnerHost = {
  async openPeer(url: string): Promise<MessagePort> {
    try {
      const port = await openRelay(url)
      return transfer(port, [port])
    } catch (reason) {
      throw OwnerError.from(reason)
    }
  },
}
