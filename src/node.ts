/**
 * Sotto in Node: a data owner, a model server, a dealer, and the bundles that they load. Each party is a program of its own
 * in earnest; for trying things out all of them run in one process.
 */

// Identities and bundles
export type { Identity } from './handshake/crypto.ts'
export { fromBase64Url, toBase64Url } from './handshake/encoding.ts'
export { loadIdentity, newIdentity } from './handshake/node/key-file.ts'
export { createNodeKernels } from './kernels/node/kernels.ts'
export { type Bundle, loadBundle } from './model/files/bundle-node.ts'
export { type CatalogEntry, readCatalog } from './model/files/catalog.ts'
// The data owner
export { bundleSource } from './owner/node/bundle-source.ts'
export { nodeOwner } from './owner/node/owner.ts'
export { nodePlatform } from './owner/node/platform.ts'
export { servingProtections } from './protections/server-registry.ts'
// The model server
export type { ServedModel, ServeRequest, Serving, ServingProtection } from './protections/serving.ts'
// The dealer of secret sharing
export type { DealerEngine } from './protections/shared/agreement/parties.ts'
export { PlanDealer } from './protections/shared/dealer/engine.ts'
export { type RunningDealer, type StartDealer, startDealer } from './protections/shared/dealer/start.ts'
export type { DealerSettings } from './protections/shared/serving.ts'
export { type RunningServer, type StartServer, startServer } from './server/start.ts'
