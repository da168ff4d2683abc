import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ModelConfig, Tensor, Tensors } from '../architectures/config.ts'
import { toHfConfig } from '../architectures/hf-config.ts'
import type { ModelGraph } from '../graph/graph.ts'
import { graphOf } from '../graph/graph-of.ts'
import { headTensors, isOfLayer, tensorShapes } from '../graph/tensors.ts'
import { checkFile, type PublicModel, parseTokenizer } from './bundle.ts'
import { BundleError } from './bundle-error.ts'
import { BundleTensors } from './bundle-tensors.ts'
import {
  isHashable,
  type Manifest,
  modelHash,
  parseManifest,
  partOf,
  sha256,
  type Visibility,
} from './manifest.ts'
import type { Dtype } from './safetensors.ts'
import { writeSafetensors } from './safetensors-writer.ts'

/** A whole bundle, private tensors included: only for the model's owner. */
export interface Bundle extends PublicModel {
  /** Names of the tensors that must never be served. */
  privateNames: Set<string>
}

function read(dir: string, name: string): Uint8Array {
  try {
    return readFileSync(join(dir, name))
  } catch {
    throw new BundleError('missing-file', `${join(dir, name)} cannot be read. Is ${dir} a complete bundle?`)
  }
}

/** Load and verify a bundle from a folder; `tensors` holds public and private ones. Throws {@link BundleError}. */
export async function loadBundle(dir: string): Promise<Bundle> {
  const manifest = parseManifest(new TextDecoder().decode(read(dir, 'manifest.json')))
  const tensors: Tensors = new Map()
  const files = new BundleTensors(dir, manifest)
  try {
    for (const part of ['public', 'base', 'private'] as const)
      if (part !== 'base' || manifest.tensors.some((tensor) => partOf(tensor) === part)) files.check(part)
    for (const { name } of manifest.tensors) tensors.set(name, files.get(name)!)
  } finally {
    files.close()
  }
  for (const name of ['tokenizer.json', 'config.json']) await checkFile(manifest, name, read(dir, name))
  return {
    manifest,
    hash: await modelHash(manifest),
    tokenizer: parseTokenizer(read(dir, 'tokenizer.json')),
    tensors,
    privateNames: new Set(manifest.tensors.filter((t) => t.visibility === 'private').map((t) => t.name)),
  }
}

/** Where tensors come from, one at a time: a map, or a reader of files. */
export interface TensorSource {
  get(name: string): Tensor | undefined | Promise<Tensor | undefined>
}

/** What a bundle is made from; hashes and the tensor list are worked out. */
export interface BundleParts extends Omit<Manifest, 'format' | 'tensors' | 'files'> {
  tokenizer: object
  tensors: TensorSource
  /** By default all blocks and a classifier's head are private; embedding, other heads and final norm public. */
  visibility?: (name: string) => Visibility
  /** Public tensors that data owners have no use for (see `foldedAway`); none unless said otherwise. */
  isBase?: (name: string) => boolean
  /** How weights are stored; half precision unless said otherwise. */
  dtype?: Dtype
}

const isOfLabels = ({ head }: ModelGraph): boolean => head.kind === 'labels' || head.kind === 'tags'

/** Tensors of the layers, and of a head that gives labels. */
export function isOfBlocks(config: ModelConfig, name: string): boolean {
  const graph = graphOf(config)
  return isOfLayer(config, name) || (isOfLabels(graph) && headTensors(graph).includes(name))
}

/**
 * Write a bundle folder, holding one tensor at a time in memory; returns its manifest. Throws a {@link BundleError} for a
 * tensor that is missing, of another shape, or whose values its type can't hold, and for a configuration that no manifest
 * may have: what was written is then incomplete.
 */
export async function writeBundle(dir: string, parts: BundleParts): Promise<Manifest> {
  const { tokenizer, tensors, visibility: given, isBase, dtype = 'F16', ...about } = parts
  const visibility = given ?? ((name) => (isOfBlocks(about.config, name) ? 'private' : 'public'))
  mkdirSync(dir, { recursive: true })
  const manifest: Manifest = { format: 'sotto-bundle/1', ...about, tensors: [], files: {} }
  const writeJson = async (name: string, value: unknown) => {
    const bytes = new TextEncoder().encode(`${JSON.stringify(value, null, 1)}\n`)
    manifest.files[name] = { bytes: bytes.length, sha256: await sha256(bytes) }
    writeFileSync(join(dir, name), bytes)
  }
  await writeJson('config.json', toHfConfig(about.config, textEnds(about)))
  await writeJson('tokenizer.json', tokenizer)
  const listed = [...tensorShapes(about.config)].map(([name, shape]) => {
    const tensor = { name, shape, dtype, visibility: visibility(name) }
    return tensor.visibility === 'public' && isBase?.(name) ? { ...tensor, base: true as const } : tensor
  })
  for (const part of ['public', 'base', 'private'] as const) {
    const chosen = listed.filter((tensor) => partOf(tensor) === part)
    if (part === 'base' && chosen.length === 0) continue
    const file = `${part}.safetensors`
    const written = await writeSafetensors(join(dir, file), chosen, async ({ name, shape }) => {
      const tensor = await tensors.get(name)
      if (!tensor) throw new BundleError('missing-tensor', `There is no tensor "${name}" to write.`)
      if (tensor.shape.join() !== shape.join())
        throw new BundleError('wrong-shape', `"${name}" has the shape [${tensor.shape}], not [${shape}].`)
      checkValues(name, tensor.data, dtype)
      return tensor.data
    })
    manifest.files[file] = { bytes: written.bytes, sha256: written.sha256 }
    chosen.forEach((tensor, i) => {
      manifest.tensors.push(isHashable(tensor) ? { ...tensor, sha256: written.tensors[i] } : tensor)
    })
  }
  const text = `${JSON.stringify(manifest, null, 1)}\n`
  // What nobody could read is not written.
  parseManifest(text)
  writeFileSync(join(dir, 'manifest.json'), text)
  return manifest
}

/** Largest float32 that rounds to a finite half. */
const LARGEST_HALF = 65519.99

function checkValues(name: string, data: Float32Array, dtype: Dtype): void {
  let most = 0
  for (const value of data) {
    const size = Math.abs(value)
    // Not `>`: NaN must be caught as well.
    if (!(size <= 3.4e38))
      throw new BundleError('bad-tensors', `"${name}" holds ${value}: the weights are damaged.`)
    if (size > most) most = size
  }
  if (dtype === 'F16' && most > LARGEST_HALF)
    throw new BundleError(
      'bad-tensors',
      `"${name}" reaches ${most}, beyond F16. Choose BF16 or F32 (--dtype).`,
    )
}

/** The ids that other programs know as beginning and end. */
function textEnds({ chat, text }: Pick<Manifest, 'chat' | 'text'>): { bos?: number; end?: number } {
  const [bos] = [(chat && 'bos' in chat ? chat.bos : undefined) ?? text?.bos ?? []].flat()
  return { bos, end: chat?.stop[0] ?? text?.stop[0] }
}

/** Replace the numeric profile of a bundle on disk, which gives the model a new hash. */
export async function setProfile(dir: string, profile: Record<string, unknown>): Promise<string> {
  const manifest = parseManifest(new TextDecoder().decode(read(dir, 'manifest.json')))
  manifest.profile = profile
  writeFileSync(join(dir, 'manifest.json'), `${JSON.stringify(manifest, null, 1)}\n`)
  return modelHash(manifest)
}
