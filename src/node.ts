// biome-ignore-all assist/source/organizeImports: in the order of the page that is made of it
/**
 * Sotto in Node: a data owner, a model server, a dealer, and the bundles that they load. Each party is a program of its own
 * in earnest; for trying things out all of them run in one process.
 */

// The data owner
export { nodeOwner } from './owner/node/owner.ts'
export { nodePlatform } from './owner/node/platform.ts'
export { bundleSource } from './owner/node/bundle-source.ts'

// OpenAI's API on this machine
export { startProxy, type StartProxy, type RunningProxy } from './proxy/start.ts'

// The model server
export { startServer, type StartServer, type RunningServer } from './server/start.ts'
export type { DealerSettings } from './protections/shared/serving.ts'
export { servingProtections } from './protections/server-registry.ts'
export type {
  ServingProtection,
  ServeRequest,
  Serving,
  ServedModel,
  BroughtListing,
} from './protections/serving.ts'

// Veiled models
export type { VeiledServeSettings } from './protections/veiled/serving.ts'
export { readKits } from './protections/veiled/node/kits.ts'

// The dealer of secret sharing
export { startDealer, type StartDealer, type RunningDealer } from './protections/shared/dealer/start.ts'
export { PlanDealer } from './protections/shared/dealer/engine.ts'
export type { DealerEngine } from './protections/shared/agreement/parties.ts'

// Identities and bundles
export { loadIdentity, newIdentity } from './handshake/node/key-file.ts'
export type { Identity } from './handshake/crypto.ts'
export { fromBase64Url, toBase64Url } from './handshake/encoding.ts'
export { createNodeKernels } from './kernels/node/kernels.ts'
export { readCatalog, type CatalogEntry } from './model/files/catalog.ts'
export { loadBundle, type Bundle } from './model/files/bundle-node.ts'
