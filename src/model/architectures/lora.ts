import { adapterName, isAdapted, type ModelConfig, type Tensors } from './config.ts'

/**
 * A weight with its low-rank adapter merged in: W + (alpha / rank) B A, in W's own orientation; W's own data where it
 * has none. Frozen-A adapters (FFA-LoRA) merge the same way: only training treats A differently.
 * Hu et al., LoRA, 2021. Throws when the weight or half of its adapter is missing.
 */
export function merged(config: ModelConfig, tensors: Tensors, name: string): Float32Array {
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
  const isTransposed = config.arch === 'gpt2'
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
