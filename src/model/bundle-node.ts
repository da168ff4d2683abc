import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkFile, type PublicModel, parseTokenizer } from './bundle.ts'
import { type Tensors, tensorShapes } from './config.ts'
import { toHfConfig } from './hf-config.ts'
import {
  BundleError,
  checkTensors,
  type Manifest,
  modelHash,
  parseManifest,
  sha256,
  type Visibility,
} from './manifest.ts'
import { decodeSafetensors, encodeSafetensors } from './safetensors.ts'

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
  for (const visibility of ['public', 'private'] as const) {
    const name = `${visibility}.safetensors`
    const bytes = read(dir, name)
    await checkFile(manifest, name, bytes)
    const file = decodeSafetensors(bytes)
    await checkTensors(manifest, visibility, file.tensors, file.bytes)
    for (const [key, tensor] of file.tensors) tensors.set(key, tensor)
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

/** What a bundle is made from; hashes and the tensor list are worked out. */
export interface BundleParts extends Omit<Manifest, 'format' | 'tensors' | 'files'> {
  tokenizer: object
  tensors: Tensors
  /** By default all blocks are private, and embedding, head and final norm public. */
  visibility?: (name: string) => Visibility
}

const blocksPrivate = (name: string): Visibility =>
  /(^|\.)(layers|h)\.\d+\./.test(name) ? 'private' : 'public'

/** Write a bundle folder with 16-bit weights; returns its manifest. */
export async function writeBundle(dir: string, parts: BundleParts): Promise<Manifest> {
  const { tokenizer, tensors, visibility = blocksPrivate, ...about } = parts
  mkdirSync(dir, { recursive: true })
  const manifest: Manifest = { format: 'sotto-bundle/1', ...about, tensors: [], files: {} }
  const write = async (name: string, bytes: Uint8Array) => {
    manifest.files[name] = { bytes: bytes.length, sha256: await sha256(bytes) }
    writeFileSync(join(dir, name), bytes)
  }
  const json = (value: unknown) => new TextEncoder().encode(`${JSON.stringify(value, null, 1)}\n`)
  await write('config.json', json(toHfConfig(about.config, about.chat)))
  await write('tokenizer.json', json(tokenizer))
  for (const kind of ['public', 'private'] as const) {
    const chosen: Tensors = new Map()
    for (const name of tensorShapes(about.config).keys()) {
      const tensor = tensors.get(name)
      if (!tensor) throw new BundleError('missing-tensor', `There is no tensor "${name}" to write.`)
      if (visibility(name) === kind) chosen.set(name, tensor)
    }
    const file = encodeSafetensors(chosen, 'F16', { format: 'pt' })
    await write(`${kind}.safetensors`, file)
    for (const [name, bytes] of decodeSafetensors(file).bytes)
      manifest.tensors.push({
        name,
        shape: chosen.get(name)!.shape,
        dtype: 'F16',
        visibility: kind,
        sha256: await sha256(bytes),
      })
  }
  writeFileSync(join(dir, 'manifest.json'), `${JSON.stringify(manifest, null, 1)}\n`)
  return manifest
}

/** Replace the numeric profile of a bundle on disk, which gives the model a new hash. */
export async function setProfile(dir: string, profile: Record<string, unknown>): Promise<string> {
  const manifest = parseManifest(new TextDecoder().decode(read(dir, 'manifest.json')))
  manifest.profile = profile
  writeFileSync(join(dir, 'manifest.json'), `${JSON.stringify(manifest, null, 1)}\n`)
  return modelHash(manifest)
}
