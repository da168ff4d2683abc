import type { ModelConfig, Tensors } from '../../src/model/architectures/config.ts'
import { writeBundle } from '../../src/model/files/bundle-node.ts'
import { type Manifest, modelHash } from '../../src/model/files/manifest.ts'
import { tensorShapes } from '../../src/model/graph/tensors.ts'
import type { About } from '../train/export.ts'
import { formOf } from './lowbit-tape.ts'
import { inputBits, privateMatrices } from './matrices.ts'
import { type Precision, shiftsOf } from './precision.ts'
import { integers } from './weights.ts'

export interface LowbitParts {
  readonly config: ModelConfig
  readonly masters: Tensors
  readonly precision: Precision
  readonly tokenizer: object
  readonly chat?: Manifest['chat']
  readonly about: About
}

/**
 * Writes a bundle whose private tensors are exactly what the parties compute with: integers times powers of two, which half
 * precision holds. Steps are folded in, and what is public of it all is a dozen integers. Returns the bundle's hash.
 */
export async function exportLowbit(dir: string, o: LowbitParts): Promise<string> {
  const manifest = await writeBundle(dir, {
    ...o.about,
    config: o.config,
    chat: o.chat,
    profile: { lowbit: profileEntry(o.precision) },
    tokenizer: o.tokenizer,
    tensors: realTensors(o.config, o.masters, o.precision),
  })
  return modelHash(manifest)
}

/** What is public of a lowbit model besides its shape. */
export const profileEntry = ({ weightBits, x, qk, v, g, th, weights, cap, rings }: Precision): object => ({
  weightBits,
  x,
  qk,
  v,
  g,
  th,
  weights,
  cap,
  rings,
})

/** The model's tensors in its own units: each integer by its power of two. */
export function realTensors(config: ModelConfig, masters: Tensors, p: Precision): Tensors {
  const ints = integers(config, masters, p)
  const out: Tensors = new Map([...tensorShapes(config).keys()].map((name) => [name, ints.get(name)!]))
  const shifts = shiftsOf(p, formOf(config))
  for (const { weight, bias, kind } of privateMatrices(config)) {
    const scale = (name: string, bits: number): void => {
      const { shape, data } = ints.get(name)!
      out.set(name, { shape, data: data.map((value) => value * 2 ** -bits) })
    }
    scale(weight, p.weights[kind])
    if (bias) scale(bias, p.weights[kind] + inputBits(kind, p, shifts))
  }
  return out
}
