import type { Tensors } from '../architectures/config.ts'
import { BundleError } from './bundle-error.ts'
import { checkTensors, type Manifest, modelHash, parseManifest, sha256 } from './manifest.ts'
import { decodeSafetensors } from './safetensors.ts'

/**
 * The public part of a model bundle, as a browser loads it. Reading whole bundles from disk is in
 * `bundle-node.ts`, so that nothing here needs a file system.
 */
export interface PublicModel {
  manifest: Manifest
  /** SHA-256 of the canonical manifest: both parties compare it before they begin. */
  hash: string
  /** Contents of `tokenizer.json`. */
  tokenizer: object
  /** The public tensors that a data owner computes with. */
  tensors: Tensors
}

/** The files of a bundle that may be served; nothing else ever may. */
export const publicFiles = [
  'manifest.json',
  'config.json',
  'tokenizer.json',
  'public.safetensors',
  'base.safetensors',
] as const

/** Those of them that a data owner needs. */
export const isForOwner = (file: string): boolean => file !== 'base.safetensors'

/** Fetches a file of the bundle by name, for example `(name) => fetch(base + name)`. */
export type Fetcher = (name: string) => Promise<Response>

/** Bytes of one file. */
export interface LoadProgress {
  file: string
  loaded: number
  total: number
}

/** What to insist on, and whom to tell. */
export interface LoadOptions {
  /** Refuse any other model than the one with this hash. */
  expectedHash?: string
  onProgress?: (progress: LoadProgress) => void
}

/**
 * Load manifest, tokenizer and public tensors, checking every byte against the manifest's hashes.
 * Throws a {@link BundleError}.
 */
export async function loadPublic(fetcher: Fetcher, options: LoadOptions = {}): Promise<PublicModel> {
  const manifest = parseManifest(new TextDecoder().decode(await download(fetcher, 'manifest.json', 0)))
  const hash = await modelHash(manifest)
  if (options.expectedHash !== undefined && options.expectedHash !== hash)
    throw new BundleError(
      'hash-mismatch',
      `This is model ${hash.slice(0, 12)}, but ${options.expectedHash.slice(0, 12)} was expected. Reload the page.`,
    )
  const load = async (name: string) => {
    const { bytes: total } = fileEntry(manifest, name)
    const report = (loaded: number) => options.onProgress?.({ file: name, loaded, total })
    const bytes = await download(fetcher, name, total, report)
    await checkFile(manifest, name, bytes)
    return bytes
  }
  const tokenizer = parseTokenizer(await load('tokenizer.json'))
  const { tensors, bytes } = decodeSafetensors(await load('public.safetensors'))
  await checkTensors(manifest, 'public', tensors, bytes)
  return { manifest, hash, tokenizer, tensors }
}

/** A `tokenizer.json`: an object. Throws a {@link BundleError}. */
export function parseTokenizer(bytes: Uint8Array): object {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes))
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  } catch {
    // Falls through to the same complaint.
  }
  throw new BundleError('bad-manifest', 'tokenizer.json is not a JSON object. Export the bundle again.')
}

function fileEntry(manifest: Manifest, name: string) {
  const entry = manifest.files[name]
  if (!entry)
    throw new BundleError('bad-manifest', `manifest.json does not list ${name}. Export the bundle again.`)
  return entry
}

/** Throws unless the file is byte for byte the one the manifest lists. */
export async function checkFile(manifest: Manifest, name: string, bytes: Uint8Array): Promise<void> {
  const entry = fileEntry(manifest, name)
  if (bytes.length !== entry.bytes || (await sha256(bytes)) !== entry.sha256)
    throw new BundleError(
      'hash-mismatch',
      `${name} has ${bytes.length} bytes that are not the ${entry.bytes} the manifest lists. Get it again.`,
    )
}

async function download(
  fetcher: Fetcher,
  name: string,
  total: number,
  report?: (loaded: number) => void,
): Promise<Uint8Array> {
  const response = await fetcher(name)
  if (!response.ok || !response.body)
    throw new BundleError('missing-file', `Could not load ${name}: the server answered ${response.status}.`)
  const chunks: Uint8Array[] = []
  let loaded = 0
  report?.(0)
  const reader = response.body.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    chunks.push(value)
    loaded += value.length
    // A server must not be able to fill the memory of a page that expects a small file.
    if (total > 0 && loaded > total)
      throw new BundleError('hash-mismatch', `${name} is longer than the ${total} bytes the manifest lists.`)
    report?.(loaded)
  }
  const whole = new Uint8Array(loaded)
  let at = 0
  for (const chunk of chunks) {
    whole.set(chunk, at)
    at += chunk.length
  }
  return whole
}
