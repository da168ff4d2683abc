import { patchCount, patchSize, vitForm } from '../../src/model/pictures/tower.ts'
import { type VitConfig, vitHead, vitTensors } from '../../src/model/pictures/vit.ts'
import { softCrossEntropy } from '../onnx/loss.ts'
import { summed } from '../onnx/parameters.ts'
import { Tape } from '../onnx/tape.ts'
import { TowerTape } from './tower-tape.ts'

/**
 * A ViT as an ONNX model that reads its weights by name, and `patches` `[examples * patches, pixels]`. Output: `logits`
 * `[examples, labels]`. One that `learns` reads `targets`, probabilities of the labels, too, and gives `loss`
 * `[examples, 1]` and the gradient `d NAME` of the mean loss for every tensor.
 */
export function vitGraph(config: VitConfig, examples: number, learns: boolean): Uint8Array {
  const t = new Tape()
  const weights = new Map([...vitTensors(config)].map(([name, shape]) => [name, t.input(name, shape)]))
  const tower = new TowerTape(t, summed(t), config, vitForm, weights)
  const patches = t.input('patches', [examples * patchCount(config), patchSize(config)])
  const rows = tower.norm(tower.classRows(patches, examples), vitHead.norm)
  const logits = tower.dense(rows, vitHead.classifier)
  if (learns) {
    const targets = t.input('targets', logits.shape)
    const weight = t.constant(new Float32Array(examples).fill(1 / examples), [examples, 1])
    const loss = softCrossEntropy(t, logits, targets, weight)
    t.backward()
    t.output('loss', loss)
    for (const [name, value] of weights) t.output(`d ${name}`, t.gradient(value))
  }
  t.output('logits', logits)
  return t.model()
}
