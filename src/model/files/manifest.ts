import { bytesToHex } from '@noble/hashes/utils.js'
import * as v from 'valibot'
import type { ModelConfig, Tensors } from '../architectures/config.ts'
import { tensorShapes } from '../graph/tensors.ts'
import { BundleError } from './bundle-error.ts'
import { configSchema } from './config-schema.ts'

const count = v.pipe(v.number(), v.integer(), v.minValue(0))
const sha256Text = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, 'expected 64 hexadecimal digits'))

/** One token, or several. */
const idOrIds = v.union([count, v.array(count)])

const tensorSchema = v.object({
  name: v.string(),
  shape: v.array(count),
  dtype: v.picklist(['F32', 'F16', 'BF16']),
  /** Public tensors may be downloaded by anyone; private ones never leave the model's owner. */
  visibility: v.picklist(['public', 'private']),
  /**
   * A public tensor that data owners have no use for, because all that is made from it is private: a base model's weight
   * under a private adapter. It is in a file of its own, which they need not download.
   */
  base: v.optional(v.literal(true)),
  /**
   * Over the tensor's bytes as stored. For a private tensor it commits the owner to the weights; it does not reveal them,
   * but whoever holds the same weights can recognise them. Small private tensors have none, because all that they may
   * hold can be tried; nor have those of a split model: what its parties hold must say nothing of the weights.
   */
  sha256: v.optional(sha256Text),
})

/** The whole of `manifest.json`; fields beyond these are dropped. */
export const manifestSchema = v.object({
  format: v.literal('sotto-bundle/1'),
  name: v.string(),
  description: v.string(),
  license: v.string(),
  /** Where the training data comes from, and under what licence. */
  source: v.string(),
  config: configSchema,
  tensors: v.array(tensorSchema),
  /** The other files of the bundle. */
  files: v.record(v.string(), v.object({ bytes: count, sha256: sha256Text })),
  /** Chat models only; `template` is Jinja, as in a Hugging Face `tokenizer_config.json`. */
  chat: v.optional(
    v.union([
      v.object({
        template: v.string(),
        /** What a conversation begins with; what goes before a user's text and before a reply; what ends either. */
        bos: idOrIds,
        user: idOrIds,
        assistant: idOrIds,
        end: idOrIds,
        /** A reply ends at any of these ids. */
        stop: v.array(count),
      }),
      v.object({
        template: v.pipe(v.string(), v.maxLength(1 << 17)),
        /** What the template calls by a name, such as `bos_token`: then it is run to know what stands around texts. */
        tokens: v.record(v.string(), v.string()),
        stop: v.array(count),
      }),
    ]),
  ),
  /** Models that continue a text and know no turns. */
  text: v.optional(v.object({ bos: v.optional(count), stop: v.array(count) })),
  /**
   * Encoders without a head: what becomes of a text's last hidden states. Their mean, or the first token's; `normalize`:
   * scaled to length 1; `prompt` stands before every text. Where nothing is said, the mean of length 1.
   */
  pooling: v.optional(
    v.object({
      kind: v.picklist(['mean', 'cls']),
      normalize: v.boolean(),
      prompt: v.optional(v.pipe(v.string(), v.maxLength(4096))),
    }),
  ),
  /**
   * Absent where the owner alone holds the private tensors. `split`: server and dealer hold pieces of them, neither of
   * which says anything without the other; `id` tells this splitting from others of the same weights.
   */
  custody: v.optional(v.object({ kind: v.literal('split'), id: sha256Text })),
  /** What calibration measured, under the name of the numeric profile that it is for; empty until then. Free-form here. */
  profile: v.record(v.string(), v.unknown()),
})

/** What a bundle says of itself. All of it is public. */
export type Manifest = v.InferOutput<typeof manifestSchema>
/** What makes a conversation of texts. */
export type ChatTokens = NonNullable<Manifest['chat']>

/** The chat tokens of a chat model. Throws a {@link BundleError} for a model that does not chat. */
export function chatOf({ name, chat }: Pick<Manifest, 'name' | 'chat'>): ChatTokens {
  if (!chat)
    throw new BundleError('bad-manifest', `The model '${name}' has no chat template. Choose a chat model.`)
  return chat
}

/** Who may have a tensor: everybody, or the model's owner alone. */
export type Visibility = 'public' | 'private'

/** The weight files of a bundle: NAME.safetensors. */
export type BundlePart = 'public' | 'base' | 'private'

/** Which file a tensor is in. */
export const partOf = ({
  visibility,
  base,
}: Pick<Manifest['tensors'][number], 'visibility' | 'base'>): BundlePart =>
  visibility === 'public' && base ? 'base' : visibility

/** Parse and check `manifest.json`, including that its tensors are those of its configuration. */
export function parseManifest(text: string): Manifest {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    throw new BundleError('bad-manifest', 'manifest.json is not JSON. Export the bundle again.')
  }
  const result = v.safeParse(manifestSchema, json)
  if (!result.success) {
    const [issue] = result.issues
    const where = v.getDotPath(issue) ?? 'the top level'
    throw new BundleError('bad-manifest', `manifest.json is wrong at ${where}: ${issue.message}.`)
  }
  checkTensorList(result.output.config, result.output)
  checkHashes(result.output)
  return result.output
}

function checkTensorList(config: ModelConfig, { tensors }: Manifest): void {
  const listed = new Map(tensors.map((tensor) => [tensor.name, tensor.shape.join()]))
  for (const [name, shape] of tensorShapes(config)) {
    const found = listed.get(name)
    if (found === undefined)
      throw new BundleError(
        'missing-tensor',
        `manifest.json lists no tensor "${name}". Export the bundle again.`,
      )
    if (found !== shape.join())
      throw new BundleError(
        'wrong-shape',
        `manifest.json gives "${name}" the shape [${found}], not [${shape}].`,
      )
  }
}

/** Numbers of a private tensor from which on not all can be tried: two halves of a classifier's bias have 2^32 values. */
const UNGUESSABLE = 64

/** Whether a tensor's hash may be public. */
export const isHashable = ({
  visibility,
  shape,
}: Pick<Manifest['tensors'][number], 'visibility' | 'shape'>) =>
  visibility === 'public' || shape.reduce((a, b) => a * b, 1) >= UNGUESSABLE

function checkHashes({ tensors, custody }: Manifest): void {
  const complain = (what: string): never => {
    throw new BundleError('bad-manifest', `manifest.json has ${what}. Export the bundle again.`)
  }
  for (const tensor of tensors) {
    const { name, visibility, sha256 } = tensor
    if (custody && visibility === 'private') {
      if (sha256) complain(`a hash of "${name}", which a split model must not have`)
    } else if (!sha256 && isHashable(tensor)) complain(`no hash of "${name}"`)
  }
}

/** Lower-case hexadecimal SHA-256; WebCrypto, so the same in Node and in a browser. */
export async function sha256(bytes: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>)
  return bytesToHex(new Uint8Array(digest))
}

/** JSON with sorted keys and no white space: equal values give equal text. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join()}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const entries = Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`).join()}}`
}

/** The model's identity: covers configuration, profile and, through their hashes, all weights. */
export const modelHash = (manifest: Manifest): Promise<string> =>
  sha256(new TextEncoder().encode(canonicalJson(manifest)))

/** Check the tensors of one file against the manifest; `bytes` are as stored. */
export async function checkTensors(
  manifest: Manifest,
  part: BundlePart,
  tensors: Tensors,
  bytes: Map<string, Uint8Array>,
): Promise<void> {
  const file = `${part}.safetensors`
  for (const expected of manifest.tensors) {
    if (partOf(expected) !== part) continue
    const tensor = tensors.get(expected.name)
    if (!tensor)
      throw new BundleError('missing-tensor', `${file} lacks "${expected.name}". Get the bundle again.`)
    if (tensor.shape.join() !== expected.shape.join())
      throw new BundleError(
        'wrong-shape',
        `${file} has "${expected.name}" as [${tensor.shape}], the manifest says [${expected.shape}].`,
      )
    // Small private tensors have no hash of their own; that of their file covers them.
    if (expected.sha256 && (await sha256(bytes.get(expected.name)!)) !== expected.sha256)
      throw new BundleError(
        'hash-mismatch',
        `${file}: the contents of "${expected.name}" are not what the manifest says. Get the bundle again.`,
      )
  }
}
