/** The models that benches run on: a bundle from disk, or random weights of realistic scale in memory. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { demoConfig, type ModelConfig, type Tensors } from '../src/model/architectures/config.ts'
import { type Bundle, loadBundle } from '../src/model/files/bundle-node.ts'
import type { CatalogEntry } from '../src/model/files/catalog.ts'
import { type Manifest, modelHash, parseManifest } from '../src/model/files/manifest.ts'
import { continuesText, graphOf } from '../src/model/graph/graph-of.ts'
import { matricesOf, tensorShapes } from '../src/model/graph/tensors.ts'
import { benchConfigs, randomModel } from '../src/model/random.ts'
import { profileOf } from '../src/protections/shared/profiles/lookup.ts'
import { ID as LOWBIT } from '../src/protections/shared/profiles/lowbit/id.ts'
import {
  type ColumnScales,
  randomQuantization,
  randomSigns,
} from '../src/protections/shared/profiles/lowbit/random.ts'
import { refuseTooLarge } from '../src/protections/shared/weights/room.ts'

export const shapeNames = [
  'demo',
  'gpt2',
  '15m',
  'smollm2-135m',
  'qwen2.5-0.5b',
  'llama3.2-1b',
  'tiny',
] as const
export const encoderShapes = ['bert-base', 'bert-mini', 'bert-tiny'] as const
export type ShapeName = (typeof shapeNames)[number] | (typeof encoderShapes)[number]

/**
 * What the owner may know: every weight; the base of a model whose low-rank adapters are private (SPRINT's split, with
 * its rank); or nothing but the ends.
 */
export const visibilities = ['public', 'sprint', 'private'] as const
export type WeightVisibility = (typeof visibilities)[number]
const SPRINT_LORA = { rank: 16, alpha: 16, targets: ['query', 'key', 'value', 'dense'] }

/** Embedding and head are public ends and no part of a plan, so random shapes go without most of their vocabulary. */
const VOCABULARY = 512
export const SEED = 1

/** What every process of a bench builds its model from. */
export type BenchModel =
  | { readonly kind: 'bundle'; readonly dir: string }
  | {
      readonly kind: 'random'
      readonly shape: ShapeName
      readonly config: ModelConfig
      readonly seed: number
      /** Of quantized models: whether their columns have scales of their own, which are private. */
      readonly scales?: ColumnScales
    }

const tiny: ModelConfig = {
  arch: 'llama',
  vocab: 64,
  dim: 32,
  layers: 2,
  heads: 4,
  kvHeads: 2,
  ff: 48,
  eps: 1e-5,
  context: 64,
  ropeTheta: 10000,
  activation: 'silu',
  tied: true,
}

/** The quantized form of a shape: as many layers, as wide. */
function quantized(config: ModelConfig): ModelConfig {
  const { ropeTheta: _, ...shape } = config
  const common = { ...shape, eps: 1e-6 }
  if (!continuesText(config)) return { ...common, arch: 'rms-bert', activation: 'relu' }
  return { ...common, arch: 'parallel-llama', activation: 'silu' }
}

/** A random model of the `lowbit` profile: only the demo's bundle has one of another. */
export function quantizedSource(shape: ShapeName, scales: ColumnScales): BenchModel {
  const of = { demo: demoConfig, tiny, ...benchConfigs }
  const config = quantized({ ...of[shape], vocab: VOCABULARY })
  return { kind: 'random', shape, config, seed: SEED, scales }
}

/** `dir` replaces the demo model's own folder. */
export function sourceOf(shape: ShapeName, dir?: string, visibility?: WeightVisibility): BenchModel {
  if (dir || shape === 'demo')
    return {
      kind: 'bundle',
      dir: dir ?? join(fileURLToPath(new URL('..', import.meta.url)), 'models/sotto-demo'),
    }
  const config: ModelConfig = shape === 'tiny' ? tiny : { ...benchConfigs[shape], vocab: VOCABULARY }
  if (visibility === undefined || visibility === 'private') refuseTooLarge(shape, leastUses(config))
  const lora = visibility === 'sprint' ? SPRINT_LORA : undefined
  return { kind: 'random', shape, config: { ...config, lora }, seed: SEED }
}

/** The products of a model's layers in the narrowest rings that such shapes have: before they are measured, which takes minutes. */
const leastUses = (config: ModelConfig): { k: number; n: number; ring: number }[] =>
  graphOf(config)
    .layers.flatMap(matricesOf)
    .map(({ inputs, outputs }) => ({ k: inputs, n: outputs, ring: 33 }))

/** Standard deviation of random quantized models' attention scores. */
const OCTAVES = 2

/** A model with all that is known of it. */
export interface Loaded {
  readonly config: ModelConfig
  readonly tensors: Tensors
  readonly bundle?: Bundle
  /** Where it comes with one. */
  readonly profile?: Manifest['profile']
}

/** The model of a source, private tensors included. */
export async function loadSource(source: BenchModel): Promise<Loaded> {
  if (source.kind === 'random' && source.scales) {
    const { config, seed, scales } = source
    const quantization = randomQuantization(config, { scales, octaves: OCTAVES })
    const tensors = randomSigns(config, quantization, scales, seed)
    return { config, tensors, profile: { [LOWBIT]: quantization } }
  }
  if (source.kind === 'random')
    return { config: source.config, tensors: randomModel(source.config, source.seed) }
  const bundle = await loadBundle(source.dir)
  return { config: bundle.manifest.config, tensors: bundle.tensors, bundle }
}

const isBlock = (tensor: string): boolean => /(^|\.)(layers|layer|h)\.\d+\./.test(tensor)

/** Standard deviation of the weights of all blocks: says whether random weights are of a trained model's scale. */
export function weightStd(tensors: Tensors): number {
  let [n, sum, squares] = [0, 0, 0]
  for (const [name, { shape, data }] of tensors) {
    if (shape.length < 2 || !isBlock(name)) continue
    n += data.length
    for (const w of data) {
      sum += w
      squares += w * w
    }
  }
  return Math.sqrt(squares / n - (sum / n) ** 2)
}

/** Smallest and largest attention logit that calibration saw, where the model's profile reports them. */
export async function logitRange(manifest: Manifest): Promise<[number, number] | undefined> {
  const entries = (await profileOf(manifest).workshop()).report(manifest)
  const all = entries.filter(({ name }) => name === 'score').flatMap(({ measured }) => measured)
  return all.length > 0 ? [Math.min(...all), Math.max(...all)] : undefined
}

/** What all parties know of a model. */
export interface PublicFacts {
  readonly source: BenchModel
  readonly profile: Manifest['profile']
  readonly visibility: WeightVisibility
}

function tensorVisibility(tensor: string, visibility: WeightVisibility): 'public' | 'private' {
  if (visibility === 'sprint') return tensor.endsWith('lora_B.weight') ? 'private' : 'public'
  return isBlock(tensor) ? visibility : 'public'
}

/** A bundle's own manifest; a random model's is made up, and commits to its shape and seed alone. */
export async function manifestOf({ source, profile, visibility }: PublicFacts): Promise<Manifest> {
  if (source.kind === 'bundle') return parseManifest(readFileSync(join(source.dir, 'manifest.json'), 'utf8'))
  const { config, shape, seed } = source
  return {
    format: 'sotto-bundle/1',
    name: shape,
    description: `Random weights, seed ${seed}, for benchmarks.`,
    license: 'CC0-1.0',
    source: 'none',
    config,
    tensors: [...tensorShapes(config)].map(([name, dims]) => ({
      name,
      shape: dims,
      dtype: 'F32',
      visibility: tensorVisibility(name, visibility),
      sha256: '0'.repeat(64),
    })),
    files: {},
    chat: { template: '', bos: 0, user: 1, assistant: 2, end: 3, stop: [3] },
    profile,
  }
}

/** A model as a server's catalogue lists it, with nothing on disk. */
export async function entryOf(facts: PublicFacts): Promise<CatalogEntry> {
  const manifest = await manifestOf(facts)
  const bytes = new TextEncoder().encode(JSON.stringify(manifest))
  const files = new Map([['manifest.json', { bytes, type: 'application/json', etag: '""' }]])
  return { name: manifest.name, dir: '', manifest, hash: await modelHash(manifest), files }
}
