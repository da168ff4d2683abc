/** Low-rank adapters (Hu et al., LoRA, 2021). */
import type { ModelConfig, TensorLookup } from '../architectures/config.ts'
import { architectureOf } from '../architectures/registry.ts'

/** Whether a weight of the layers carries an adapter. */
export function isAdapted(config: ModelConfig, name: string): boolean {
  const parts = name.split('.')
  const inLayer = name.startsWith(`${architectureOf(config).tensors.layers}.`)
  return inLayer && parts.at(-1) === 'weight' && (config.lora?.targets.includes(parts.at(-2)!) ?? false)
}

/** Name of an adapter's half: `x.query.weight` has `x.query.lora_A.weight` [rank, in] and `x.query.lora_B.weight` [out, rank]. */
export const adapterName = (weight: string, half: 'A' | 'B'): string =>
  weight.replace(/\.weight$/, `.lora_${half}.weight`)

/**
 * A weight with its low-rank adapter merged in: W + (alpha / rank) B A, in W's own orientation; W's own data where it
 * has none. Frozen-A adapters (FFA-LoRA) merge the same way: only training treats A differently.
 * Throws when the weight or half of its adapter is missing.
 */
export function merged(config: ModelConfig, tensors: TensorLookup, name: string): Float32Array {
  const weight = tensors.get(name)
  if (!weight) throw new Error(`The model has no tensor "${name}".`)
  if (!config.lora || !isAdapted(config, name)) return weight.data
  const [a, b] = (['A', 'B'] as const).map((half) => {
    const tensor = tensors.get(adapterName(name, half))
    if (!tensor) throw new Error(`The model has no tensor "${adapterName(name, half)}".`)
    return tensor.data
  })
  const { rank, alpha } = config.lora
  const inputs = a.length / rank
  const outputs = b.length / rank
  const isTransposed = architectureOf(config).layout === 'in-out'
  const out = Float32Array.from(weight.data)
  const row = new Float64Array(inputs)
  for (let o = 0; o < outputs; o++) {
    row.fill(0)
    for (let r = 0; r < rank; r++) {
      const scale = (alpha / rank) * b[o * rank + r]
      for (let i = 0; i < inputs; i++) row[i] += scale * a[r * inputs + i]
    }
    for (let i = 0; i < inputs; i++) out[isTransposed ? i * outputs + o : o * inputs + i] += row[i]
  }
  return out
}
