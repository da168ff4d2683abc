/**
 * Sotto in a browser, or in any program that is the data owner: the engine between texts in clear and what the other
 * parties get, and the door that protections stand behind. Nothing here needs Node.
 */

// Errors that reach a person, each with a code and an advice
export { SessionError, type SessionErrorCode } from './handshake/errors.ts'
// What a protection is given
export type { ServedListing, ServedListings, Task } from './handshake/listing.ts'
export type { BackendKind } from './kernels/choose.ts'
export { KernelError } from './kernels/error.ts'
export type { PublicModel } from './model/files/bundle.ts'
export { BundleError } from './model/files/manifest.ts'
// The engine
export {
  type ChatOptions,
  type ChatResult,
  type Classification,
  type ClassifyInput,
  type Message,
  type ModelListing,
  type OpenOptions,
  type OwnerApi,
  OwnerError,
  type OwnerErrorData,
  type OwnerEvent,
  type OwnerHost,
  type PageConfig,
  type PartyTraffic,
  type SessionInfo,
  type Stats,
} from './owner/api.ts'
export type { Offers } from './owner/connect.ts'
export { Owner } from './owner/owner.ts'
export { browserPlatform, type Platform } from './owner/platform.ts'
export { type ModelSource, servedModels } from './owner/source.ts'
// Protections
export type { Notice, Pooled } from './protections/notice.ts'
export {
  Cancelled,
  type Choice,
  type ConnectEvent,
  type Connection,
  type ConnectRequest,
  type Counts,
  type Protection,
  ProtectionError,
  type RunOptions,
  type Surroundings,
} from './protections/protection.ts'
export { protections } from './protections/registry.ts'
export type { LinkChoice } from './transport/connect.ts'
export { LinkError, type LinkErrorCode } from './transport/errors.ts'
export type { Link, LinkKind, Traffic } from './transport/link.ts'
