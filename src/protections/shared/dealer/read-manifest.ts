/** What a registration begins with. */
import { SessionError } from '../../../handshake/errors.ts'
import { type Manifest, parseManifest } from '../../../model/files/manifest.ts'

/** Throws `SessionError` `malformed` where it is no manifest. */
export function readManifest(header: Uint8Array): Manifest {
  try {
    return parseManifest(new TextDecoder().decode(header))
  } catch (cause) {
    throw new SessionError('malformed', 'The registration does not begin with a manifest.', { cause })
  }
}
