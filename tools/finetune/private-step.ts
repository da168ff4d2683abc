import { DpAdamBC, DpAdamW } from '../privacy/dp-adam.ts'
import { DpSgd } from '../privacy/dp-sgd.ts'
import { PrivacyLedger } from '../privacy/ledger.ts'
import { LedgerError, type LedgerIdentity } from '../privacy/ledger-file.ts'
import { AccountingError } from '../privacy/mechanism.ts'
import { csprng, poissonSample, type RandomSource } from '../privacy/noise.ts'
import type { Optimizer, Vectors, WeightDecay } from '../privacy/optimizer.ts'
import { privatize } from '../privacy/privatize.ts'
import { prvSigma } from '../privacy/prv.ts'
import { rdpSigma } from '../privacy/rdp.ts'

export type Accountant = 'rdp' | 'prv'
export type PrivateOptimizer = 'dp-sgd' | 'dp-adamw' | 'dp-adambc'

/** What a private run promises, and how. */
export interface PrivacyOptions {
  epsilon: number
  delta: number
  /** Norm to which each example's gradient is clipped. */
  clip: number
  accountant: Accountant
  optimizer: PrivateOptimizer
  /** DP-AdamBC's floor of the second moment; its own default where there is none. */
  gamma?: number
  /** Where the ledger is kept. */
  ledger: string
  /** How many examples there are, as everybody may know: then the guarantee hides the true number as well. */
  publicExamples?: number
  identity: LedgerIdentity
}

/** The mechanism of a private run: fixed before its first step, and stated in its report. */
export interface PrivatePlan extends PrivacyOptions {
  /** In the data; batches are drawn from among them. */
  examples: number
  /** What q, steps and the average batch come from. */
  plannedExamples: number
  /** Probability with which each example joins a batch. */
  q: number
  steps: number
  expectedBatch: number
  /** Noise multiplier. */
  sigma: number
}

/**
 * Noise for `epochs` passes in batches of `batch` on average, so that all steps together spend at most epsilon. Without
 * `delta` it is a tenth of one over the number of examples. Throws AccountingError for a delta that allows a run to
 * publish an example whole, and for no examples.
 */
export function planPrivacy(
  o: Omit<PrivacyOptions, 'delta'> & { delta?: number },
  examples: number,
  batch: number,
  epochs: number,
): PrivatePlan {
  const plannedExamples = o.publicExamples ?? examples
  if (plannedExamples < 1) throw new AccountingError('There are no examples to plan with.')
  const delta = o.delta ?? 1 / (10 * plannedExamples)
  if (delta >= 1 / plannedExamples)
    throw new AccountingError(
      `Delta ${delta} with ${plannedExamples} examples: it must be below ${(1 / plannedExamples).toPrecision(3)}, one over their number. ` +
        'With a larger one a run that publishes some of the examples whole would count as private.',
    )
  const q = Math.min(1, batch / plannedExamples)
  const steps = Math.max(1, Math.round(epochs / q))
  const target = { epsilon: o.epsilon, delta, q, steps }
  const sigma = o.accountant === 'rdp' ? rdpSigma(target) : prvSigma(target)
  return { ...o, delta, examples, plannedExamples, q, steps, expectedBatch: q * plannedExamples, sigma }
}

/** The optimizer of a private run; biases and gains, which are vectors, do not decay. */
export function privateOptimizer(plan: PrivatePlan, weights: Vectors, decay: WeightDecay): Optimizer {
  if (plan.optimizer === 'dp-sgd') return new DpSgd(weights, { momentum: 0.9, ...decay })
  const floor = plan.gamma === undefined ? decay : { ...decay, gamma: plan.gamma }
  return plan.optimizer === 'dp-adamw' ? new DpAdamW(weights, decay) : new DpAdamBC(weights, plan, floor)
}

/** Draws batches and releases gradients, each release on the ledger before its noise is drawn. */
export class PrivateSteps {
  readonly plan: PrivatePlan
  readonly #ledger: PrivacyLedger
  readonly #source?: RandomSource

  /**
   * `taken` steps are in the checkpoint; a ledger with fewer is refused, and so is one with steps of another mechanism,
   * or with no step left to take: lost steps are made up for one by one, which bounds epsilon only where all are alike.
   * A `source` is for tests only.
   */
  constructor(plan: PrivatePlan, taken: number, source?: RandomSource) {
    this.plan = plan
    this.#ledger = PrivacyLedger.open(plan.ledger, plan.identity, taken)
    this.#source = source
    const isOther = this.#ledger.segments.some(({ sigma, q }) => sigma !== plan.sigma || q !== plan.q)
    if (!isOther && (taken > 0 || this.spent < plan.steps)) return
    this.#ledger.close()
    throw new LedgerError(
      'spent',
      `${plan.ledger} counts ${this.spent} steps of an earlier run on this data, ` +
        (isOther ? 'with other noise. ' : 'which is all that this one may take. ') +
        'Resume that run with its own options and folder, or name another ledger (--ledger FILE): ' +
        'what is released of both then spends the sum.',
    )
  }

  /** Steps on the ledger: those of an interrupted run count too, also where their result was lost. */
  get spent(): number {
    return this.#ledger.steps
  }

  sample(): Uint32Array {
    return poissonSample(this.plan.examples, this.plan.q, this.#source)
  }

  /**
   * What dropout is seeded with. A seed that anybody knew would make the other examples' dropout depend on who is in the
   * batch before them, and one example could then change the sum by more than the clipping norm.
   */
  dropoutSeed(): number {
    const seed = new Uint32Array(1)
    const draw = this.#source ?? csprng
    draw(new Uint8Array(seed.buffer))
    return seed[0]
  }

  /** Turns a clipped sum into a private mean, in place. */
  release(sums: ReadonlyMap<string, Float32Array>): void {
    const { sigma, q, clip, delta, plannedExamples, expectedBatch } = this.plan
    this.#ledger.record({ sigma, q, clip, delta, examples: plannedExamples })
    privatize(sums, { sigma, clip, expectedBatch, source: this.#source })
  }

  /** Epsilon spent so far: the upper bound of the accountant that the noise was planned with. */
  epsilon(): number {
    const { accountant, delta } = this.plan
    return accountant === 'rdp' ? this.#ledger.rdpEpsilon(delta) : this.#ledger.prvEpsilon(delta).upper
  }

  close(): void {
    this.#ledger.close()
  }
}
