/** The bundles of a case, as they are or split, and the digests of their files. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { newIdentity } from '../../src/handshake/node/key-file.ts'
import { createNodeKernels } from '../../src/kernels/node/kernels.ts'
import { loadBundle, writeBundle } from '../../src/model/files/bundle-node.ts'
import { BETA_FILE, type SplitBundle } from '../../src/protections/shared/custody/split-bundle.ts'
import { readSplitBundles } from '../../src/protections/shared/dealer/split-bundles.ts'
import { splitBundle } from '../../tools/split/split.ts'
import { sha256 } from './digest.ts'
import type { FixedRandom } from './fixed-random.ts'

/** What stands beside a bundle and is said of it: none of the files that are served or computed with. */
const beside = new Set(['README.md', 'attacks.json', 'readable.json', 'weights.encoded'])

export function digestsOf(dir: string): Record<string, string> {
  const files = readdirSync(dir)
    .filter((name) => !beside.has(name))
    .sort()
  return Object.fromEntries(files.map((name) => [name, sha256(readFileSync(join(dir, name)))]))
}

export interface Prepared {
  /** What the server serves. */
  readonly bundle: string
  readonly written: Readonly<Record<string, string>>
  /** The server's identity, and what the dealer has, of a split model. */
  readonly opener?: ReturnType<typeof newIdentity>
  readonly splitBundles?: ReadonlyMap<string, SplitBundle>
}

/** The bundle as it is; what is written of it again is only digested. */
export async function rewrite(dir: string, scratch: string): Promise<Prepared> {
  const { manifest, tensors, tokenizer } = await loadBundle(dir)
  const { format: _, tensors: listed, files: __, ...about } = manifest
  const byName = new Map(listed.map((tensor) => [tensor.name, tensor]))
  await writeBundle(scratch, {
    ...about,
    tokenizer,
    tensors,
    visibility: (name) => byName.get(name)?.visibility ?? 'private',
    isBase: (name) => byName.get(name)?.base === true,
  })
  return { bundle: dir, written: digestsOf(scratch) }
}

/** Both split bundles; seeds are not digested, because they are sealed under a key that is new every time. */
export async function split(dir: string, scratch: string, random: FixedRandom): Promise<Prepared> {
  const [opener, dealer] = [newIdentity(), newIdentity()]
  const out = join(scratch, 'split')
  const keys = { server: opener.publicKey, dealer: dealer.publicKey }
  const report = await random.as('splitter', () =>
    splitBundle({ bundle: dir, out, keys, kernels: createNodeKernels() }),
  )
  const { 'seed.json': _, ...written } = digestsOf(report.server)
  const beta = sha256(readFileSync(join(report.dealer, BETA_FILE)))
  if (written[BETA_FILE] !== beta) throw new Error('The split bundles have different pieces.')
  return {
    bundle: report.server,
    written,
    opener,
    splitBundles: await readSplitBundles(join(out, 'dealer'), dealer),
  }
}
