/** A tiny model, split, and three parties on loopback that serve it: for tests of split custody. */
import { join } from 'node:path'
import { newIdentity } from '../../src/handshake/node/key-file.ts'
import { createNodeKernels } from '../../src/kernels/node/kernels.ts'
import type { Bundle } from '../../src/model/files/bundle-node.ts'
import { readCatalog } from '../../src/model/files/catalog.ts'
import { PlanDealer } from '../../src/protections/shared/dealer/engine.ts'
import { readSplitBundles } from '../../src/protections/shared/dealer/split-bundles.ts'
import { PlanServer } from '../../src/protections/shared/server/engine.ts'
import { type SplitReport, splitBundle } from '../../tools/split/split.ts'
import { type Parties, type PartiesOptions, startParties } from './session/parties.ts'
import { writeTinyBundle } from './session/tiny-bundle.ts'

export const kernels = createNodeKernels()

export interface SplitModel {
  readonly whole: Bundle
  readonly report: SplitReport
  readonly server: ReturnType<typeof newIdentity>
  readonly dealer: ReturnType<typeof newIdentity>
  /** Holds `server/NAME` and `dealer/NAME`. */
  readonly out: string
}

type Write = (folder: string) => Promise<Bundle>
const writeTiny: Write = (folder) => writeTinyBundle(folder)

/** Writes a bundle below `folder` as `name` and splits it for two new identities. */
export async function splitTiny(folder: string, write = writeTiny, name = 'tiny'): Promise<SplitModel> {
  const whole = await write(join(folder, 'whole'))
  const [server, dealer] = [newIdentity(), newIdentity()]
  const out = join(folder, 'split')
  const keys = { server: server.publicKey, dealer: dealer.publicKey }
  const report = await splitBundle({ bundle: join(folder, 'whole', name), out, keys, kernels })
  return { whole, report, server, dealer, out }
}

/** Serves the split model; `options.dealer` may give the dealer another engine. */
export async function serveSplit(model: SplitModel, options: PartiesOptions = {}): Promise<Parties> {
  const catalog = await readCatalog(join(model.out, 'server'))
  const engine = await PlanServer.load(kernels, catalog, undefined, model.server)
  const splitBundles = await readSplitBundles(join(model.out, 'dealer'), model.dealer)
  return startParties({
    ...options,
    catalog,
    serverIdentity: model.server,
    dealerIdentity: model.dealer,
    server: { ...options.server, engine },
    dealer: {
      makeEngine: (serverKey) => new PlanDealer(kernels, splitBundles, serverKey),
      ...options.dealer,
    },
  })
}
