/** Audits of fine-tuning a chat model: the same training with and without privacy, attacked in the same ways. */
import { type CanaryReport, canaryReport } from '../privacy/canary.ts'
import { type CanaryPlan, makeCanaries } from './canaries.ts'
import { type AttackedModel, halves, membershipAudit } from './membership-audit.ts'
import { TrainingBench, type TrainingOptions } from './training-bench.ts'

interface Watched {
  onProgress?: (text: string) => void
}

export interface MembershipAuditOptions extends TrainingOptions, Watched {
  /** Dialogues that a model is trained on or not, half and half. */
  pool: number
  /** Models; each is attacked with the others for shadows. */
  models: number
}

export interface CanaryAuditOptions extends TrainingOptions, Watched {
  /** Training dialogues besides the canaries. */
  dialogues: number
  canaries: CanaryPlan
}

/** How good the models are, all tokens counted: without it, hiding the data would be no achievement. */
interface Usefulness {
  /** Of held-out dialogues; the mean over the models. */
  perplexity: number
  /** Noise multiplier; absent without privacy. */
  sigma?: number
}

export interface MembershipFigures extends Usefulness, ReturnType<typeof membershipAudit> {
  /** Of the dialogues that a model was trained on; the mean by dialogue, not by token. */
  trainPerplexity: number
}

export interface CanaryFigures extends Usefulness {
  groups: Array<{ repetitions: number } & Omit<CanaryReport, 'exposures'>>
}

/** The figures of ordinary training beside those of private training, all else equal. */
export interface Compared<Figures> {
  basePerplexity: number
  plain: Figures
  private: Figures
}

/** Who was in the training data? Loss threshold and likelihood ratio, by shadow models. */
export async function auditMembership(o: MembershipAuditOptions): Promise<Compared<MembershipFigures>> {
  const bench = await TrainingBench.open(o, o.pool)
  const splits = halves(o.pool, o.models, o.seed)
  const figures = async (isPrivate: boolean): Promise<MembershipFigures> => {
    const models: AttackedModel[] = []
    const runs: Array<Usefulness & { trainLoss: number }> = []
    for (const [i, member] of splits.entries()) {
      const members = member.flatMap((isIn, number) => (isIn ? [number] : []))
      const { values, sigma } = await bench.train(members, isPrivate)
      const losses = await bench.meanNats(bench.examples, values)
      const perplexity = await bench.perplexity(values)
      models.push({ losses, member })
      runs.push({ perplexity, sigma, trainLoss: mean(members.map((number) => losses[number])) })
      o.onProgress?.(`${label(isPrivate)} model ${i + 1} of ${o.models}: perplexity ${perplexity.toFixed(1)}`)
    }
    return {
      perplexity: mean(runs.map((run) => run.perplexity)),
      trainPerplexity: mean(runs.map((run) => Math.exp(run.trainLoss))),
      sigma: runs[0].sigma,
      ...membershipAudit(models, { delta: isPrivate ? o.privacy.delta : 0 }),
    }
  }
  return compare(bench, figures)
}

/** Can a code that occurs in the training data be got out of the model? */
export async function auditCanaries(o: CanaryAuditOptions): Promise<Compared<CanaryFigures>> {
  const { groups, references, inserted } = makeCanaries(o.canaries)
  const bench = await TrainingBench.open(o, o.dialogues, inserted)
  const figures = async (isPrivate: boolean): Promise<CanaryFigures> => {
    const { values, sigma } = await bench.train([...bench.examples.keys()], isPrivate)
    const perplexity = await bench.perplexity(values)
    o.onProgress?.(`${label(isPrivate)} model: perplexity ${perplexity.toFixed(1)}`)
    const losses = await bench.meanNats(bench.encode(references), values)
    const found: CanaryFigures['groups'] = []
    for (const { repetitions, canaries } of groups) {
      const own = await bench.meanNats(bench.encode(canaries), values)
      const { exposures: _, ...report } = canaryReport(own, losses)
      found.push({ repetitions, ...report })
    }
    return { perplexity, sigma, groups: found }
  }
  return compare(bench, figures)
}

async function compare<F>(
  bench: TrainingBench,
  figures: (isPrivate: boolean) => Promise<F>,
): Promise<Compared<F>> {
  try {
    const basePerplexity = await bench.perplexity()
    return { basePerplexity, plain: await figures(false), private: await figures(true) }
  } finally {
    await bench.close()
  }
}

const label = (isPrivate: boolean) => (isPrivate ? 'private' : 'ordinary')
const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length
