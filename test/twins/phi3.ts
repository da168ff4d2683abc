/** Phi-3 (Abdin et al., 2024): LLaMA, whose products lie one after another in fewer matrices. */
import type { Vector } from './formulas.ts'
import { LlamaTwin } from './llama.ts'

export class Phi3Twin extends LlamaTwin {
  protected override dense(x: Vector, name: string): Vector {
    const { heads, kvHeads, ff } = this.config
    const [q, kv] = [heads * this.width, kvHeads * this.width]
    const cut = (from: number, width: number, whole: string): Vector =>
      super.dense(x, name.replace(/\w+$/, whole)).slice(from, from + width)
    switch (name.split('.').at(-1)) {
      case 'q_proj':
        return cut(0, q, 'qkv_proj')
      case 'k_proj':
        return cut(q, kv, 'qkv_proj')
      case 'v_proj':
        return cut(q + kv, kv, 'qkv_proj')
      case 'gate_proj':
        return cut(0, ff, 'gate_up_proj')
      case 'up_proj':
        return cut(ff, ff, 'gate_up_proj')
      default:
        return super.dense(x, name)
    }
  }
}
