/** What server and dealer each have of a split model, on disk: beta, and the seed that was sealed for them. */
import { createHash, type Hash } from 'node:crypto'
import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import { equalBytes, fromBase64Url, joinFields, toBase64Url } from '../../../handshake/encoding.ts'
import type { Kernels } from '../../../kernels/kernels.ts'
import { BundleError } from '../../../model/files/bundle-error.ts'
import { type Opener, seal, sealedBytes, unseal } from '../agreement/seal.ts'
import type { Plan } from '../plan.ts'
import { type Piece, type ReadPiece, splitPieces } from '../weights/split.ts'

/** What both folders hold, byte for byte: every piece of `splitPieces`, packed to its bits. */
export const BETA_FILE = 'beta.bin'
/** Another in each folder. */
export const SEED_FILE = 'seed.json'

/** Whom a folder is for. */
export type Holder = 'server' | 'dealer'

/** What a split bundle belongs to; sealed with it, so that those of different splittings never meet. */
export interface SplitBundleOf {
  readonly holder: Holder
  readonly modelHash: string
  readonly planHash: string
}

/** What one holder has, its seed unsealed: plain data, that other threads may have as well. */
export interface HeldBundle {
  /** G's at the server, F's at the dealer. */
  readonly seed: Uint8Array
  /** Identity key of the model server that the splitting is for, base64url: the dealer deals for no other. */
  readonly server: string
  /** Where beta is, found to be whole. */
  readonly path: string
}

/** A split bundle whose pieces can be read. */
export interface SplitBundle extends HeldBundle {
  /** Reads beta from its beginning. Close it when done. */
  open(kernels: Kernels, plan: Plan): BetaReader
}

/** A file of pieces, read in the order of the plan. */
export interface BetaReader {
  readonly read: ReadPiece
  close(): void
}

const SEED_BYTES = 32
const DIGEST_BYTES = 32

const seedSchema = v.object({
  format: v.literal('sotto-seed/1'),
  /** For whom. */
  holder: v.picklist(['server', 'dealer']),
  key: v.string(),
  /** The model server's key, in both split bundles. */
  server: v.string(),
  sealed: v.string(),
})

const contextOf = ({ holder, modelHash, planHash }: SplitBundleOf, server: string): Uint8Array =>
  joinFields(['sotto split', holder, modelHash, planHash, server])

/** The contents of a seed file: seed and beta's SHA-256, sealed for the identity key of one of the two. */
export async function sealSplitBundle(
  of: SplitBundleOf,
  keys: Readonly<Record<Holder, Uint8Array>>,
  seed: Uint8Array,
  betaDigest: Uint8Array,
): Promise<string> {
  const key = keys[of.holder]
  const server = toBase64Url(keys.server)
  const secret = new Uint8Array(SEED_BYTES + DIGEST_BYTES)
  secret.set(seed)
  secret.set(betaDigest, SEED_BYTES)
  const sealed = await seal(key, secret, contextOf(of, server))
  const file = {
    format: 'sotto-seed/1',
    holder: of.holder,
    key: toBase64Url(key),
    server,
    sealed: toBase64Url(sealed),
  }
  return `${JSON.stringify(file, null, 1)}\n`
}

/**
 * Opens the split bundle in a folder. Rejects with a `BundleError` on missing or damaged files, and with a `SessionError`
 * `bad-seal` where the seed is for another key, model or plan.
 */
export async function loadSplitBundle(dir: string, of: SplitBundleOf, opener: Opener): Promise<SplitBundle> {
  const seedFile = readSeed(dir)
  if (seedFile.holder !== of.holder)
    throw new BundleError(
      'bad-manifest',
      `${dir} is the ${seedFile.holder}'s split bundle of the model; the ${of.holder} needs its own.`,
    )
  if (seedFile.key !== toBase64Url(opener.publicKey))
    throw new BundleError(
      'bad-manifest',
      `${join(dir, SEED_FILE)} is sealed for the key ${seedFile.key}, and this ${of.holder} is ${toBase64Url(opener.publicKey)}. Start it with that key, or split the model again.`,
    )
  const { server } = seedFile
  const secret = await unseal(opener, seedFile.sealed, contextOf(of, server))
  const path = join(dir, BETA_FILE)
  if (!equalBytes(digestOf(path), secret.subarray(SEED_BYTES)))
    throw new BundleError(
      'hash-mismatch',
      `${path} is not what it was when the model was split. Get it again.`,
    )
  const seed = secret.slice(0, SEED_BYTES)
  return splitBundleOf({ seed, server, path })
}

/** A bundle that was loaded, here or in another thread. */
export const splitBundleOf = (held: HeldBundle): SplitBundle => ({
  ...held,
  open: (kernels, plan) => openBeta(held.path, kernels, plan),
})

function readSeed(dir: string): { holder: Holder; key: string; server: string; sealed: Uint8Array } {
  const path = join(dir, SEED_FILE)
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    throw new BundleError('missing-file', `${path} cannot be read. Is ${dir} a split bundle?`)
  }
  try {
    const { sealed, ...rest } = v.parse(seedSchema, JSON.parse(text))
    return { ...rest, sealed: fromBase64Url(sealed, sealedBytes(SEED_BYTES + DIGEST_BYTES)) }
  } catch {
    throw new BundleError('bad-manifest', `${path} is not a sealed seed. Split the model again.`)
  }
}

const PART_BYTES = 1 << 24

function digestOf(path: string): Uint8Array {
  const hash: Hash = createHash('sha256')
  const file = openFile(path)
  try {
    const part = new Uint8Array(PART_BYTES)
    for (let n = readSync(file, part); n > 0; n = readSync(file, part)) hash.update(part.subarray(0, n))
  } finally {
    closeSync(file)
  }
  return new Uint8Array(hash.digest())
}

function openFile(path: string): number {
  try {
    return openSync(path, 'r')
  } catch {
    throw new BundleError('missing-file', `${path} cannot be read. Is its folder a split bundle?`)
  }
}

/** Packed to its ring's bits. */
const pieceBytes = ({ bits, count }: Piece): number => Math.ceil((bits * count) / 8)

function openBeta(path: string, kernels: Kernels, plan: Plan): BetaReader {
  const file = openFile(path)
  const declared = splitPieces(plan).reduce((sum, piece) => sum + pieceBytes(piece), 0)
  const { size } = fstatSync(file)
  if (size !== declared) {
    closeSync(file)
    throw new BundleError(
      'wrong-shape',
      `${path} has ${size} bytes where the plan has ${declared}. Split again.`,
    )
  }
  return {
    read: (piece) => {
      const bytes = new Uint8Array(pieceBytes(piece))
      for (let at = 0; at < bytes.length; ) at += readSync(file, bytes, at, bytes.length - at, null)
      return kernels.unpack(bytes, piece.bits, piece.count)
    },
    close: () => closeSync(file),
  }
}
