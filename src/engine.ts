// biome-ignore-all assist/source/organizeImports: in the order of the page that is made of it
/**
 * The data owner's engine itself, between texts in clear and what the other parties get, and the door that protections stand
 * behind: for programs that bring a protection, a platform or models of their own. Nothing here needs Node.
 */

// The engine
export { Owner } from './owner/owner.ts'
export type { OwnerHost } from './owner/host.ts'
export type { Offers } from './owner/connect.ts'
export { servedModels, type ModelSource } from './owner/source.ts'
export { browserPlatform, type Platform } from './owner/platform.ts'

// Protections
export { protections } from './protections/registry.ts'
export type {
  Protection,
  ConnectRequest,
  ConnectEvent,
  Surroundings,
  Connection,
  RunOptions,
  Counts,
  DealerCounts,
  ExplainedChoice,
} from './protections/protection.ts'
export type { ServedListing, ServedListings } from './handshake/listing.ts'
export type { PublicModel } from './model/files/bundle.ts'
export type { ModelTexts, TextModel } from './model/texts.ts'
export type { TextInput } from './model/graph/interpret.ts'
export type { Link, LinkKind, Traffic } from './transport/link.ts'

// Errors
export { Cancelled, ProtectionError } from './protections/protection.ts'
export { SessionError, type SessionErrorCode } from './handshake/errors.ts'
export { LinkError, type LinkErrorCode } from './transport/errors.ts'
export { BundleError } from './model/files/bundle-error.ts'
export { KernelError } from './kernels/error.ts'
