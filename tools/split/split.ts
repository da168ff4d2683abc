/** Splits a bundle: one folder for the model server, one for the dealer, neither of which has the private weights. */
import { createHash } from 'node:crypto'
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { randomBytes } from '../../src/handshake/crypto.ts'
import { equalBytes, toHex } from '../../src/handshake/encoding.ts'
import type { Kernels } from '../../src/kernels/kernels.ts'
import { type Bundle, loadBundle } from '../../src/model/files/bundle-node.ts'
import { type Manifest, modelHash } from '../../src/model/files/manifest.ts'
import { unlisted } from '../../src/protections/shared/custody/public-metadata.ts'
import {
  BETA_FILE,
  type Holder,
  SEED_FILE,
  sealSplitBundle,
} from '../../src/protections/shared/custody/split-bundle.ts'
import { type ModelPlans, modelPlans, planHash } from '../../src/protections/shared/session/model-plan.ts'
import { loadWeights } from '../../src/protections/shared/weights/held.ts'
import { betaPieces, type SplitSeeds, splitWeights } from '../../src/protections/shared/weights/split.ts'

/** The bundle can't be split, or not to there. */
export class SplitError extends Error {
  override readonly name = 'SplitError'
}

export interface SplitOptions {
  readonly bundle: string
  /** Gets the folders `server` and `dealer`, each with one for the model. */
  readonly out: string
  /** Identity keys, for which the seeds are sealed. */
  readonly keys: Readonly<Record<Holder, Uint8Array>>
  readonly kernels: Kernels
}

export interface SplitReport {
  readonly server: string
  readonly dealer: string
  readonly modelHash: string
  readonly planHash: string
  readonly matrices: number
  readonly betaBytes: number
}

/** Where the private tensors of a whole bundle are. */
const PRIVATE_FILE = 'private.safetensors'

/**
 * Writes both split bundles; seeds come from the CSPRNG and are kept nowhere else. Throws `SplitError`, or what is wrong with
 * the bundle; then nothing is left behind.
 */
export async function splitBundle({
  bundle: dir,
  out: folderOut,
  keys,
  kernels,
}: SplitOptions): Promise<SplitReport> {
  // Without a slash at its end, or what is written beside it would be inside it.
  const out = resolve(folderOut)
  if (equalBytes(keys.server, keys.dealer))
    throw new SplitError(
      'The keys of server and dealer are the same: one party could open both seeds, and would have the weights. Give each its own.',
    )
  const bundle = await loadBundle(dir)
  refuse(bundle, dir, out)
  const manifest = splitManifest(bundle.manifest, toHex(randomBytes(32)))
  const plans = modelPlans(manifest)
  const of = { modelHash: await modelHash(manifest), planHash: await planHash(plans) }
  const seeds: SplitSeeds = { f: randomBytes(32), g: randomBytes(32) }
  const name = basename(resolve(dir))
  const part = `${out}.part`
  rmSync(part, { recursive: true, force: true })
  const folder = (holder: Holder, base = out): string => join(base, holder, name)
  try {
    for (const holder of ['server', 'dealer'] as const) mkdirSync(folder(holder, part), { recursive: true })
    const beta = join(folder('server', part), BETA_FILE)
    const { digest, bytes } = writeBeta(beta, kernels, plans, seeds, bundle)
    copyFileSync(beta, join(folder('dealer', part), BETA_FILE))
    for (const file of Object.keys(manifest.files))
      copyFileSync(join(dir, file), join(folder('server', part), file))
    for (const [holder, seed] of [
      ['server', seeds.g],
      ['dealer', seeds.f],
    ] as const) {
      writeFileSync(join(folder(holder, part), 'manifest.json'), `${JSON.stringify(manifest, null, 1)}\n`)
      const sealed = await sealSplitBundle({ holder, ...of }, keys, seed, digest)
      writeFileSync(join(folder(holder, part), SEED_FILE), sealed, { mode: 0o600 })
    }
    rmSync(out, { recursive: true, force: true })
    renameSync(part, out)
    const matrices = splitWeights(plans.anyPlan).length
    return { server: folder('server'), dealer: folder('dealer'), ...of, matrices, betaBytes: bytes }
  } finally {
    rmSync(part, { recursive: true, force: true })
    seeds.f.fill(0)
    seeds.g.fill(0)
  }
}

function refuse({ manifest, privateNames }: Bundle, dir: string, out: string): void {
  if (privateNames.size === 0)
    throw new SplitError(`${dir} has no private tensors: there is nothing to split.`)
  if (existsSync(out) && readdirSync(out).length > 0)
    throw new SplitError(`${out} is not empty. Give a new folder by --out.`)
  const fields = unlisted(manifest)
  if (fields.length > 0)
    throw new SplitError(
      `manifest.json has ${fields.join(', ')}, which a split model must not make public: it may depend on the private weights. Remove it.`,
    )
}

/** The public manifest of the split bundles: no hash in it is of anything private. */
function splitManifest(manifest: Manifest, id: string): Manifest {
  const files = Object.fromEntries(Object.entries(manifest.files).filter(([file]) => file !== PRIVATE_FILE))
  const tensors = manifest.tensors.map(({ sha256, ...tensor }) =>
    tensor.visibility === 'private' ? tensor : { ...tensor, sha256 },
  )
  return { ...manifest, files, tensors, custody: { kind: 'split', id } }
}

/** Writes beta piece by piece: all of it is as large as the model in its rings. */
function writeBeta(
  path: string,
  kernels: Kernels,
  plans: ModelPlans,
  seeds: SplitSeeds,
  { tensors }: Bundle,
): { digest: Uint8Array; bytes: number } {
  const clear = loadWeights(kernels, plans.model.encode(tensors, ['private']))
  const hash = createHash('sha256')
  let bytes = 0
  const file = openSync(path, 'w', 0o600)
  try {
    for (const { beta, bits } of betaPieces(kernels, plans.anyPlan, seeds, clear)) {
      const packed = kernels.pack(beta, bits)
      hash.update(packed)
      for (let at = 0; at < packed.length; ) at += writeSync(file, packed, at)
      bytes += packed.length
    }
  } finally {
    closeSync(file)
  }
  return { digest: new Uint8Array(hash.digest()), bytes }
}
