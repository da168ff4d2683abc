import { headDim } from '../../src/model/architectures/config.ts'
import { type LlavaConfig, projector, projectorTensors, TOWER } from '../../src/model/pictures/llava.ts'
import { clipForm, patchCount, patchSize, towerTensors } from '../../src/model/pictures/tower.ts'
import { activate } from '../onnx/activation.ts'
import { dense } from '../onnx/dense.ts'
import { reshape } from '../onnx/layers.ts'
import { hardCrossEntropy } from '../onnx/loss.ts'
import { ModelTape } from '../onnx/model-tape.ts'
import { type Parameters, summed } from '../onnx/parameters.ts'
import { Tape, type Value } from '../onnx/tape.ts'
import { places } from './collage.ts'
import { TowerTape } from './tower-tape.ts'

/** Tells from a patch's row which quarter it is of, and the garment there; of training alone. */
export const quarterHead = 'quarters'

/** Of the tower, and of what tells garments while it learns. */
export function seeingTensors(c: LlavaConfig, labels: number): Map<string, number[]> {
  return new Map([
    ...towerTensors(c.tower, clipForm(TOWER)),
    [`${quarterHead}.weight`, [places.length * labels, c.tower.dim]],
    [`${quarterHead}.bias`, [places.length * labels]],
  ])
}

/**
 * A tower that learns to tell the garments of collages, as an ONNX model: `patches`, and `quarters` `[examples * patches, 1]`,
 * the number of each patch's place and garment, to `quarter loss` and `d NAME`.
 */
export function seeingGraph(c: LlavaConfig, labels: number, examples: number): Uint8Array {
  const t = new Tape()
  const weights = new Map([...seeingTensors(c, labels)].map(([name, shape]) => [name, t.input(name, shape)]))
  const parameters = summed(t)
  const tower = new TowerTape(t, parameters, c.tower, clipForm(TOWER), weights)
  const patches = t.input('patches', [examples * patchCount(c.tower), patchSize(c.tower)])
  const quarterLoss = quarters(t, parameters, weights, tower.rows(patches, examples, c.towerLayers), examples)
  t.backward()
  t.output('quarter loss', quarterLoss)
  for (const [name, value] of weights) t.output(`d ${name}`, t.gradient(value))
  return t.model()
}

/** Sizes of a batch of pictures with texts. */
export interface ReadingSizes {
  readonly examples: number
  /** Tokens of texts for each picture. */
  readonly tokens: number
}

/**
 * A LLaVA that reads questions, as an ONNX model. Inputs: `ids` `[examples * length]` of a first token, as many as there are
 * patches, and the texts; `mask`, `cos` and `sin`; `patches`. The text model's names have no prefix. Output: `tokens`,
 * the likeliest next one behind each of the texts', `[examples * tokens]`.
 */
export function readingGraph(c: LlavaConfig, sizes: ReadingSizes): Uint8Array {
  const { t, model, rows } = readingTape(c, sizes, projectorAndTower(c))
  const logits = model.tokenLogits(model.hidden(), rows)
  const likeliest = t.op('ArgMax', [logits], [logits.shape[0]], { axis: -1, keepdims: 0 })
  t.output('tokens', likeliest, 'int64')
  return t.model()
}

/**
 * One that learns to answer. Reads besides `targets` and `weights` `[examples * tokens, 1]`, and what {@link seeingGraph}
 * does. Outputs: `loss` for each token, `quarter loss`, `d embedded` and `d NAME`.
 */
export function learningGraph(c: LlavaConfig, labels: number, sizes: ReadingSizes): Uint8Array {
  const extra = new Map([...seeingTensors(c, labels), ...projectorTensors(c)])
  const { t, parameters, model, rows, seen } = readingTape(c, sizes, extra)
  const count = sizes.examples * sizes.tokens
  const logits = model.tokenLogits(model.hidden(), rows)
  const targets = t.input('targets', [count, 1], 'int64')
  const loss = hardCrossEntropy(t, logits, targets, t.input('weights', [count, 1]))
  const quarterLoss = quarters(t, parameters, model.weights, seen, sizes.examples)
  t.backward()
  t.output('loss', loss)
  t.output('quarter loss', quarterLoss)
  t.output('d embedded', t.gradient(model.embedded))
  const table = model.graph.tables[0].tensor
  for (const [name, value] of model.weights) if (name !== table) t.output(`d ${name}`, t.gradient(value))
  return t.model()
}

const projectorAndTower = (c: LlavaConfig): Map<string, number[]> =>
  new Map([...towerTensors(c.tower, clipForm(TOWER)), ...projectorTensors(c)])

/** The model, the tower's rows `seen`, and the numbers of the texts' rows. */
function readingTape(
  c: LlavaConfig,
  { examples, tokens }: ReadingSizes,
  extra: ReadonlyMap<string, number[]>,
) {
  const t = new Tape()
  const parameters = summed(t)
  const count = patchCount(c.tower)
  const length = 1 + count + tokens
  const hd = headDim(c.text)
  const patches = t.input('patches', [examples * count, patchSize(c.tower)])
  const [cos, sin] = ['cos', 'sin'].map((name) => t.input(name, [examples, 1, length, hd]))
  const mask = t.input('mask', [examples, 1, length, length])
  let seen: Value = patches
  const model = new ModelTape(t, c.text, [examples, length], () => parameters, extra, {
    attention: { mask, rotary: { cos, sin } },
    rows: (embedded, weights) => {
      const tower = new TowerTape(t, parameters, c.tower, clipForm(TOWER), weights)
      seen = tower.rows(patches, examples, c.towerLayers)
      return mixed(t, embedded, projected(t, parameters, weights, seen, examples), examples)
    },
  })
  const numbers = Array.from({ length: examples * tokens }, (_, i) =>
    BigInt(Math.floor(i / tokens) * length + 1 + count + (i % tokens)),
  )
  const rows = t.constant(BigInt64Array.from(numbers), [numbers.length])
  return { t, parameters, model, seen, rows }
}

/** Rows of patches for the text model, `[examples * patches, dim]`, from the tower's, the class's among them. */
function projected(
  t: Tape,
  parameters: Parameters,
  weights: ReadonlyMap<string, Value>,
  rows: Value,
  examples: number,
): Value {
  const layer = (x: Value, name: string): Value =>
    dense(t, parameters, x, { weight: weights.get(`${name}.weight`)!, bias: weights.get(`${name}.bias`) })
  const patches = withoutFirst(t, rows, examples)
  return layer(activate(t, layer(patches, projector[0]), 'gelu'), projector[1])
}

function withoutFirst(t: Tape, rows: Value, examples: number): Value {
  const [n, dim] = rows.shape
  const length = n / examples
  const x = reshape(t, rows, [examples, length, dim])
  const part = t.op(
    'Slice',
    [x, t.integers(1), t.integers(length), t.integers(1)],
    [examples, length - 1, dim],
  )
  const kept = t.derivative(part, (dy) => {
    const none = t.constant(new Float32Array(examples * dim), [examples, 1, dim])
    t.accumulate(x, t.op('Concat', [none, dy], x.shape, { axis: 1 }))
  })
  return reshape(t, kept, [examples * (length - 1), dim])
}

/** The picture's rows in place of those of the tokens that stand for it: all but the first, and the text's. */
function mixed(t: Tape, embedded: Value, pictures: Value, examples: number): Value {
  const [n, dim] = embedded.shape
  const [length, count] = [n / examples, pictures.shape[0] / examples]
  const slice = (x: Value, from: number, to: number): Value =>
    t.op('Slice', [x, t.integers(from), t.integers(to), t.integers(1)], [examples, to - from, dim])
  const e = reshape(t, embedded, [examples, length, dim])
  const p = reshape(t, pictures, [examples, count, dim])
  const joined = t.op('Concat', [slice(e, 0, 1), p, slice(e, 1 + count, length)], e.shape, { axis: 1 })
  const out = t.derivative(joined, (dy) => {
    t.accumulate(p, slice(dy, 1, 1 + count))
    const none = t.constant(new Float32Array(examples * count * dim), [examples, count, dim])
    const own = [slice(dy, 0, 1), none, slice(dy, 1 + count, length)]
    t.accumulate(e, t.op('Concat', own, e.shape, { axis: 1 }))
  })
  return reshape(t, out, embedded.shape)
}

/**
 * Loss of telling place and garment from each patch's row, `[examples * patches, 1]`: a text model that looks at any patch then
 * finds both there, however dark it is.
 */
function quarters(
  t: Tape,
  parameters: Parameters,
  weights: ReadonlyMap<string, Value>,
  rows: Value,
  examples: number,
): Value {
  const logits = dense(t, parameters, withoutFirst(t, rows, examples), {
    weight: weights.get(`${quarterHead}.weight`)!,
    bias: weights.get(`${quarterHead}.bias`),
  })
  const [count] = logits.shape
  const weight = t.constant(new Float32Array(count).fill(1 / count), [count, 1])
  return hardCrossEntropy(t, logits, t.input('quarters', [count, 1], 'int64'), weight)
}
