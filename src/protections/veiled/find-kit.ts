/** The kit for a model: from the settings, or from the address that they name. */
import { limits } from '../../handshake/limits.ts'
import { wholeBody } from '../../transport/body.ts'
import { partyUrl } from '../../transport/party-url.ts'
import { type ConnectRequest, ProtectionError } from '../protection.ts'
import { readerOf } from './attacks.ts'
import { VEILED } from './id.ts'
import { KIT_BYTES, veiledSettings } from './keyring.ts'
import { type Kit, parseKit } from './kit.ts'
import type { VeiledListing } from './listing.ts'
import { OwnerEnds } from './owner-ends.ts'
import { KeyFileError } from './owner-key.ts'

/** Rejects with `ProtectionError` `key-needed` where there is none, or one that does not fit. */
export async function kitFor(
  { settings, base, listing, surroundings }: ConnectRequest,
  facts: VeiledListing,
): Promise<Kit> {
  const { keyId } = facts
  const { kits } = veiledSettings(settings)
  const found = Object.hasOwn(kits, keyId) ? kits[keyId] : undefined
  if (found === undefined)
    throw new ProtectionError(
      'key-needed',
      `${listing.name} is disguised with key ${keyId.slice(0, 8)}, which is not here.`,
      `Ask its developer for a key file. A page takes it, or names it in config.json: {"protections": {"${VEILED}": {"kits": {"${keyId}": ADDRESS}}}}; a terminal takes --keys.`,
    )
  try {
    const value = typeof found === 'string' ? await fetchKit(found, base, surroundings.connect.fetch) : found
    const kit = parseKit(value, `The kit of key ${keyId.slice(0, 8)}`)
    const ends = new OwnerEnds(kit.key)
    ends.check(keyId)
    ends.checkSizes(sizesOf(facts))
    if (kit.readable && facts.kind === 'decoder') readerOf(kit.readable, facts.vocab)
    return kit
  } catch (cause) {
    if (!(cause instanceof KeyFileError)) throw cause
    throw new ProtectionError(
      'key-needed',
      cause.message,
      'Ask the model’s developer for the key file again.',
    )
  }
}

function sizesOf(facts: VeiledListing): { tokens?: number; labels?: number } {
  switch (facts.kind) {
    case 'decoder':
      return { tokens: facts.vocab }
    case 'labels':
      return { tokens: facts.vocab, labels: facts.labelCount }
    case 'picture':
      return { labels: facts.labelCount }
  }
}

async function fetchKit(
  address: string,
  base: string | undefined,
  fetch: typeof globalThis.fetch = globalThis.fetch.bind(globalThis),
): Promise<unknown> {
  const url = partyUrl(address, 'the key file', { base })
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(limits.handshakeMs) })
    if (!response.ok) throw new Error(`status ${response.status}`)
    return JSON.parse(new TextDecoder().decode(await wholeBody(response, KIT_BYTES)))
  } catch (cause) {
    throw new KeyFileError('bad-file', 'The key file cannot be had where the page says it is.', { cause })
  }
}
