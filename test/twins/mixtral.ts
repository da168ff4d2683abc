/** Mixtral, written once more from its paper (Jiang et al., 2024): a LLaMA whose feed-forward blocks are two of some experts. */
import type { Vector } from './formulas.ts'
import { LlamaTwin } from './llama.ts'

/** Experts that read a token, of those that there are. */
const ACTIVE = 2

export class MixtralTwin extends LlamaTwin {
  protected override feedForward(x: Vector, at: string): Vector {
    const block = `${at}block_sparse_moe.`
    const logits = this.dense(x, `${block}gate`)
    const best = logits
      .map((logit, expert) => ({ logit, expert }))
      .sort((a, b) => b.logit - a.logit)
      .slice(0, ACTIVE)
    const total = best.reduce((sum, { logit }) => sum + Math.exp(logit), 0)
    const outputs = best.map(({ logit, expert }) => {
      const [gate, up, down] = ['w1', 'w3', 'w2'].map((name) => `${block}experts.${expert}.${name}`)
      return this.gated(x, gate, up, down).map((value) => (value * Math.exp(logit)) / total)
    })
    return outputs[0].map((_, i) => outputs.reduce((sum, output) => sum + output[i], 0))
  }
}
