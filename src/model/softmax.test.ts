import { describe, expect, it } from 'vitest'
import { attentionWeights } from './softmax.ts'

const logits = [-9, 0.5, 3, 3.25, -300]
const normalised = (powers: number[]): number[] => {
  const sum = powers.reduce((a, b) => a + b)
  return powers.map((p) => p / sum)
}

describe('attention weights', () => {
  const weights = (config: Parameters<typeof attentionWeights>[0]): number[] => {
    const row = Float64Array.from(logits)
    attentionWeights(config, row)
    return Array.from(row)
  }
  const close = (got: number[], want: number[]): void => {
    got.forEach((v, i) => {
      expect(v).toBeCloseTo(want[i], 12)
    })
  }

  it('are a softmax', () => {
    close(weights({}), normalised(logits.map(Math.exp)))
  })

  it('are a softmax of soft-capped logits', () => {
    close(weights({ softcap: 2 }), normalised(logits.map((x) => Math.exp(2 * Math.tanh(x / 2)))))
  })

  it('are powers below a constant cap, and zero far below it', () => {
    const want = logits.map((x) => (x < 4 - 256 ? 0 : (1 + (x - 4) / 256) ** 256))
    close(weights({ softmaxCap: 4 }), normalised(want))
    expect(weights({ softmaxCap: 4 })[4]).toBe(0)
  })
})
