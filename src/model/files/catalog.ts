/** The bundles that a server offers, and the only files of them that ever leave it. */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { publicFiles } from './bundle.ts'
import { type Evaluation, readEvaluation } from './evaluation.ts'
import { type Manifest, modelHash, parseManifest } from './manifest.ts'
import { decodeHeader, headerLength } from './safetensors.ts'

/** A public file, held in memory so that no request ever reaches the disk. */
export interface PublicFile {
  bytes: Uint8Array<ArrayBuffer>
  type: string
  etag: string
}

/** A bundle that is on offer. Its private tensors stay on the disk. */
export interface CatalogEntry {
  /** Folder name; the model's address. */
  name: string
  dir: string
  manifest: Manifest
  hash: string
  files: ReadonlyMap<string, PublicFile>
  /** What was measured of it, if anything was. */
  evaluation?: Evaluation
}

const contentType = (file: string): string =>
  file.endsWith('.json') ? 'application/json' : 'application/octet-stream'

/**
 * Reads every bundle in `dir`, or the one that `dir` itself is: chat models, classifiers and adapted models, each by name.
 * Throws a plain explanation where there is none.
 */
export async function readCatalog(dir: string): Promise<CatalogEntry[]> {
  if (!existsSync(dir)) throw new Error(`There is no folder ${dir}. Give one with bundles by --models.`)
  const folders = existsSync(join(dir, 'manifest.json'))
    ? [dir]
    : readdirSync(dir, { withFileTypes: true })
        .filter((entry) => entry.isDirectory() && existsSync(join(dir, entry.name, 'manifest.json')))
        .map((entry) => join(dir, entry.name))
        .sort()
  if (folders.length === 0)
    throw new Error(`There is no model bundle in ${dir}. A bundle is a folder with a manifest.json.`)
  const entries = await Promise.all(folders.map(readEntry))
  // Visitors are first offered the first model, which is also the first to be ready: one to chat with that stands on its own.
  const rank = ({ manifest: { config } }: CatalogEntry): number => (config.lora ? 2 : config.head ? 1 : 0)
  return entries.sort((a, b) => rank(a) - rank(b))
}

async function readEntry(dir: string): Promise<CatalogEntry> {
  const name = dir.split(/[\\/]/).filter(Boolean).at(-1)!
  if (!/^[\w.-]{1,100}$/.test(name) || name.startsWith('.'))
    throw new Error(`The folder name ${name} cannot be an address.`)
  const manifest = parseManifest(readFileSync(join(dir, 'manifest.json'), 'utf8'))
  const files = new Map<string, PublicFile>()
  // A file also has to be in the bundle, and hold no private tensor.
  for (const file of publicFiles) {
    if (file !== 'manifest.json' && !manifest.files[file]) continue
    const bytes = new Uint8Array(readFileSync(join(dir, file)))
    const digest = createHash('sha256').update(bytes).digest('hex')
    const listed = manifest.files[file]?.sha256
    if (listed !== undefined && listed !== digest)
      throw new Error(`${join(dir, file)} is not what its manifest says.`)
    if (file.endsWith('.safetensors')) refusePrivate(join(dir, file), manifest, bytes)
    files.set(file, { bytes, type: contentType(file), etag: `"${digest.slice(0, 32)}"` })
  }
  const hash = await modelHash(manifest)
  return { name, dir, manifest, hash, files, evaluation: readEvaluation(dir, hash) }
}

/** A private tensor in a public file would be given away for good: better not to start. */
function refusePrivate(path: string, manifest: Manifest, bytes: Uint8Array): void {
  const isPublic = new Set(manifest.tensors.filter((t) => t.visibility === 'public').map((t) => t.name))
  const from = 8 + headerLength(bytes.subarray(0, 8), bytes.length)
  for (const name of decodeHeader(bytes.subarray(8, from), bytes.length - from).entries.keys()) {
    if (!isPublic.has(name)) throw new Error(`${path} holds ${name}, which is not public.`)
  }
}

/** Number of parameters, all and private ones. */
export function countParameters(manifest: Manifest): { parameters: number; privateParameters: number } {
  let [parameters, privateParameters] = [0, 0]
  for (const { shape, visibility } of manifest.tensors) {
    const size = shape.reduce((product, n) => product * n, 1)
    parameters += size
    if (visibility === 'private') privateParameters += size
  }
  return { parameters, privateParameters }
}
