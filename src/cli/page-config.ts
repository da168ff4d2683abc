import type { PageConfig } from '../owner/api.ts'
import { SHARED } from '../protections/shared/id.ts'
import type { SharedSettings } from '../protections/shared/listing.ts'
import { VEILED } from '../protections/veiled/id.ts'
import type { VeiledSettings } from '../protections/veiled/keyring.ts'

/** A configuration with what is said of veiled models. */
export const withVeiled = (config: PageConfig, settings: VeiledSettings): PageConfig => ({
  ...config,
  protections: { ...config.protections, [VEILED]: settings },
})

/** What a data owner is told of a model server without a dealer, of keys, and of what it demands of an enclave. */
export const veiledConfig = (server: string, settings: VeiledSettings): PageConfig =>
  withVeiled({ server }, settings)

/** What a data owner is told of a model server and a dealer, and how often it audits the dealer. */
export function pageConfig(server: string, dealer: SharedSettings['dealer'], audit?: number): PageConfig {
  const settings: SharedSettings = { dealer, audit }
  return { server, protections: { [SHARED]: settings } }
}
