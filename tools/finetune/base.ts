import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ModelConfig, Tensors } from '../../src/model/architectures/config.ts'
import { loadBundle } from '../../src/model/files/bundle-node.ts'
import type { Manifest } from '../../src/model/files/manifest.ts'
import type { Dense } from '../../src/model/graph/graph.ts'
import { graphOf } from '../../src/model/graph/graph-of.ts'
import { adapterName, isAdapted } from '../../src/model/graph/lora.ts'
import { denseTensors, matricesOf, tensorShapes } from '../../src/model/graph/tensors.ts'
import { PredictableRandom } from '../../src/model/random.ts'
import { loadCheckpoint } from '../train/checkpoint.ts'

/** The public model that fine-tuning starts from. */
export interface Base {
  config: ModelConfig
  tensors: Tensors
  tokenizer: object
  /** Chat models only. */
  chat?: Manifest['chat']
  /** What is known about where it comes from. */
  about?: Pick<Manifest, 'name' | 'license' | 'source'>
}

/** Reads a bundle, or the folder of a pre-training run. */
export const readBase = async (dir: string): Promise<Base> =>
  existsSync(join(dir, 'manifest.json')) ? fromBundle(dir) : fromTraining(dir)

async function fromBundle(dir: string): Promise<Base> {
  const { manifest, tensors, tokenizer } = await loadBundle(dir)
  return { config: manifest.config, tensors, tokenizer, chat: manifest.chat, about: manifest }
}

function fromTraining(dir: string): Base {
  const path = join(dir, 'checkpoint.safetensors')
  if (!existsSync(path)) throw new Error(`${dir} holds neither a bundle nor a pre-training run.`)
  const { state, optimizer } = loadCheckpoint(path)
  const tokenizer = JSON.parse(readFileSync(join(dir, 'tokenizer.json'), 'utf8')) as object
  return { config: state.config, tensors: optimizer.weights, tokenizer }
}

export type Method = 'full' | 'lora' | 'ffa-lora'

export interface MethodOptions {
  method: Method
  rank: number
  alpha: number
  seed: number
  /** Full fine-tuning: leave the embedding tables as the base has them. */
  freezeTables?: boolean
}

/** What the new head tells apart, and whether it reads pairs of texts. */
export interface ClassifyHead {
  labels: string[]
  pairs?: boolean
}

/** A classifier about to be trained. */
export interface Prepared {
  config: ModelConfig
  tensors: Tensors
  trained: Set<string>
}

/** What adapters are put on, in the words of `Lora.targets`: every matrix of the layers. */
export const adapterTargets = (config: ModelConfig): string[] => [
  ...new Set(
    graphOf(config)
      .layers.flatMap(matricesOf)
      .map(({ weight }) => weight.split('.').at(-2)!),
  ),
]

/** The matrices of a classifier's head. */
function headOf(config: ModelConfig): { pool?: Dense; output: Dense } {
  const { head } = graphOf(config)
  if (head.kind !== 'labels') throw new Error('The model has no classification head.')
  return head
}

/**
 * The base with a classification head and, as the method says, adapters on query, key, value and every dense layer: A
 * uniform as Kaiming has it, B zero, so that nothing changes at first. FFA-LoRA (Sun et al., 2024) never trains A. The
 * classifier starts at zero; a pooler that the base has is kept. `full` trains all weights, the adapter methods the
 * adapters and the whole head.
 */
export function prepare(base: Base, head: ClassifyHead, o: MethodOptions): Prepared {
  const lora =
    o.method === 'full' ? undefined : { rank: o.rank, alpha: o.alpha, targets: adapterTargets(base.config) }
  if (base.config.lora) throw new Error('The base has adapters already. Start from a model without.')
  const config: ModelConfig = { ...base.config, head: { kind: 'classify', ...head }, lora }
  const random = new PredictableRandom(o.seed)
  const { pool, output } = headOf(config)
  const fresh = denseTensors(output)
  const tensors: Tensors = new Map()
  for (const [name, shape] of tensorShapes(config)) {
    const known = fresh.includes(name) ? undefined : base.tensors.get(name)
    if (known && known.shape.join() !== shape.join())
      throw new Error(`The base has "${name}" as [${known.shape}], not [${shape}].`)
    const data = known ? known.data.slice() : new Float32Array(shape.reduce((a, b) => a * b, 1))
    const bound = 1 / Math.sqrt(shape[shape.length - 1])
    if (!known && (name.endsWith('.lora_A.weight') || name === pool?.weight))
      for (let i = 0; i < data.length; i++) data[i] = bound * (2 * random.uniform() - 1)
    tensors.set(name, { shape, data })
  }
  return { config, tensors, trained: trainedNames(config, o) }
}

function trainedNames(config: ModelConfig, { method, freezeTables }: MethodOptions): Set<string> {
  const names = [...tensorShapes(config).keys()]
  const tables = graphOf(config).tables.map(({ tensor }) => tensor)
  if (method === 'full') return new Set(names.filter((name) => !(freezeTables && tables.includes(name))))
  const adapters = names
    .filter((name) => isAdapted(config, name))
    .flatMap((name) => {
      const b = adapterName(name, 'B')
      return method === 'lora' ? [adapterName(name, 'A'), b] : [b]
    })
  return new Set([...adapters, ...names.filter((name) => isHead(config, name))])
}

/** Whether a tensor is part of the classification head: pooler and classifier. */
export function isHead(config: ModelConfig, name: string): boolean {
  const { pool, output } = headOf(config)
  return [...(pool ? [pool] : []), output].flatMap(denseTensors).includes(name)
}
