/** An owner of a veiled model, as benches need one: over any link, without a page. */
import * as v from 'valibot'
import { utf8 } from '../src/handshake/encoding.ts'
import { PROTOCOL_VERSION } from '../src/handshake/limits.ts'
import { fetchListings } from '../src/handshake/listing.ts'
import { nodePlatform } from '../src/owner/node/platform.ts'
import { VeiledConnection } from '../src/protections/veiled/connection.ts'
import { type VeiledListing, veiledListing } from '../src/protections/veiled/listing.ts'
import { readKits } from '../src/protections/veiled/node/kits.ts'
import { OwnerEnds } from '../src/protections/veiled/owner-ends.ts'
import { connect } from '../src/transport/connect.ts'
import { emulate } from '../src/transport/emulated.ts'
import type { Link } from '../src/transport/link.ts'

/** Opens sessions with the one model of a server. */
export interface VeiledOwner {
  readonly facts: VeiledListing
  /** @param rtt of an emulated network, ms */
  open(rtt: number): Promise<{ connection: VeiledConnection; link: Link }>
}

/** @param keyFolder with one key */
export async function veiledOwner(server: string, keyFolder: string): Promise<VeiledOwner> {
  const [kit] = Object.values(readKits(keyFolder))
  const [listing] = (await fetchListings(server)).models
  const facts = v.parse(veiledListing, listing)
  const hello = {
    ...{ t: 'hello', protocolVersion: PROTOCOL_VERSION },
    ...{ modelHash: listing.hash, keyId: facts.keyId },
  }
  return {
    facts,
    async open(rtt) {
      const { link: inner, reason } = await connect(server, { ...nodePlatform().connect, link: 'ws' })
      const link = rtt === 0 ? inner : emulate(inner, { rtt })
      await link.send(utf8(JSON.stringify(hello)), true)
      await link.receive()
      const ends = new OwnerEnds(kit.key)
      return {
        link,
        connection: new VeiledConnection({ sessionId: '', link, reason, kit, ends, facts }),
      }
    },
  }
}
