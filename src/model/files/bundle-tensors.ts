/** A bundle's tensors as they are asked for: each is read from its file when it is, and checked against the manifest. */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { Tensor, TensorLookup } from '../architectures/config.ts'
import { BundleError } from './bundle-error.ts'
import { type BundlePart, type Manifest, partOf } from './manifest.ts'
import { decodeValues, readable, SafetensorsError } from './safetensors.ts'
import { TensorFile } from './tensor-file.ts'

/** Files are opened when first needed; `close` closes them. */
export class BundleTensors implements TensorLookup {
  readonly #dir: string
  readonly #manifest: Manifest
  readonly #listed: ReadonlyMap<string, Manifest['tensors'][number]>
  readonly #files = new Map<BundlePart, TensorFile>()
  /** Files that were found to be what the manifest says, from their first byte to their last. */
  readonly #whole = new Set<BundlePart>()

  constructor(dir: string, manifest: Manifest) {
    this.#dir = dir
    this.#manifest = manifest
    this.#listed = new Map(manifest.tensors.map((tensor) => [tensor.name, tensor]))
  }

  /** Throws {@link BundleError} where the tensor is not what the manifest says. */
  get(name: string): Tensor | undefined {
    const listed = this.#listed.get(name)
    if (!listed) return undefined
    const part = partOf(listed)
    const path = this.#path(part)
    try {
      const file = this.#open(part)
      const entry = file.entries.get(name)
      if (!entry) throw new BundleError('missing-tensor', `${path} lacks "${name}". Get the bundle again.`)
      if (entry.shape.join() !== listed.shape.join())
        throw new BundleError(
          'wrong-shape',
          `${path} has "${name}" as [${entry.shape}], the manifest says [${listed.shape}].`,
        )
      const dtype = readable(name, entry)
      const bytes = file.stored(name)
      // Small private tensors have no hash of their own; that of their file covers them.
      if (listed.sha256 === undefined) this.check(part)
      else if (createHash('sha256').update(bytes).digest('hex') !== listed.sha256)
        throw new BundleError(
          'hash-mismatch',
          `${path}: the contents of "${name}" are not what the manifest says. Get the bundle again.`,
        )
      return { shape: entry.shape, data: decodeValues(bytes, dtype) }
    } catch (error) {
      if (!(error instanceof SafetensorsError)) throw error
      throw new BundleError('bad-tensors', `${path}: ${error.message} Get the bundle again.`, {
        cause: error,
      })
    }
  }

  close(): void {
    for (const file of this.#files.values()) file.close()
    this.#files.clear()
  }

  #path(part: BundlePart): string {
    return join(this.#dir, `${part}.safetensors`)
  }

  #open(part: BundlePart): TensorFile {
    const known = this.#files.get(part)
    if (known) return known
    const path = this.#path(part)
    let file: TensorFile
    try {
      file = new TensorFile(path)
    } catch (error) {
      if (error instanceof SafetensorsError) throw damaged(path, error)
      throw new BundleError('missing-file', `${path} cannot be read. Is ${this.#dir} a complete bundle?`)
    }
    this.#files.set(part, file)
    return file
  }

  /** Throws {@link BundleError} unless a file is byte for byte the one that the manifest lists. */
  check(part: BundlePart): void {
    if (this.#whole.has(part)) return
    const file = this.#open(part)
    const hash = createHash('sha256')
    for (const piece of file.pieces()) hash.update(piece)
    const listed = this.#manifest.files[`${part}.safetensors`]
    if (listed?.bytes !== file.bytes || listed.sha256 !== hash.digest('hex'))
      throw new BundleError(
        'hash-mismatch',
        `${this.#path(part)} has ${file.bytes} bytes that are not the ${listed?.bytes ?? 0} the manifest lists. Get it again.`,
      )
    this.#whole.add(part)
  }
}

const damaged = (path: string, cause: SafetensorsError): BundleError =>
  new BundleError('hash-mismatch', `${path}: ${cause.message} Get the bundle again.`, { cause })
