import type { ModelConfig } from '../../src/model/architectures/config.ts'
import { PredictableRandom, randomModel } from '../../src/model/random.ts'
import { prepare } from '../../tools/finetune/base.ts'
import { ClassifyTask, type Labelled } from '../../tools/finetune/classify-task.ts'

/** A small encoder without a head, and texts of several lengths whose label is whether token 5 is in them. */
export const smallConfig: ModelConfig = {
  arch: 'bert',
  vocab: 40,
  dim: 16,
  layers: 1,
  heads: 2,
  kvHeads: 2,
  ff: 24,
  eps: 1e-6,
  context: 32,
  activation: 'gelu',
  tied: true,
  types: 2,
}

export function smallTexts(count: number, seed: number): Labelled[] {
  const random = new PredictableRandom(seed)
  return Array.from({ length: count }, () => {
    const label = random.below(2)
    const ids = [2, ...Array.from({ length: 3 + random.below(20) }, () => 6 + random.below(34)), 3]
    if (label === 1) ids[1 + random.below(ids.length - 2)] = 5
    return { text: { ids, types: ids.map((_, i) => (i > 4 ? 1 : 0)) }, label }
  })
}

export function smallTask(method: 'full' | 'lora' | 'ffa-lora', wordDropout = 0): ClassifyTask {
  const tensors = randomModel(smallConfig, 3)
  const base = { config: smallConfig, tensors, tokenizer: {} }
  const prepared = prepare(base, { labels: ['no', 'yes'] }, { method, rank: 2, alpha: 4, seed: 1 })
  return new ClassifyTask({
    ...prepared,
    train: smallTexts(48, 1),
    dev: smallTexts(40, 2),
    pad: 0,
    mask: 4,
    wordDropout,
    tokens: 128,
  })
}

/** Every trained tensor random, so that no gradient is zero merely because the head or an adapter's B is. */
export function shake(task: ClassifyTask): void {
  const random = new PredictableRandom(8)
  for (const { data } of task.trained.values())
    for (let i = 0; i < data.length; i++) data[i] = 0.3 * random.normal()
}
