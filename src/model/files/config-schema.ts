/** What a bundle may say of its model's configuration. */
import * as v from 'valibot'
import { headDim, type ModelConfig, rotaryDim } from '../architectures/config.ts'
import { architectureNames, architectureOf } from '../architectures/registry.ts'
import { BundleError } from './bundle-error.ts'

const count = v.pipe(v.number(), v.integer(), v.minValue(0))

const size = (most: number) => v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(most))

/** Positions of the longest text. */
export const MOST_CONTEXT = 1 << 17

/** Components of a head. */
const MOST_HEAD_DIM = 1024

const positive = v.pipe(v.number(), v.finite(), v.gtValue(0))

const pairFactors = v.pipe(v.array(positive), v.maxLength(MOST_HEAD_DIM / 2))

const ropeScalingSchema = v.variant('kind', [
  v.object({ kind: v.literal('linear'), factor: positive }),
  v.object({ kind: v.literal('dynamic'), factor: positive, original: positive }),
  v.object({
    kind: v.literal('llama3'),
    factor: positive,
    low: positive,
    high: positive,
    original: positive,
  }),
  v.object({
    kind: v.literal('yarn'),
    factor: positive,
    original: positive,
    fast: positive,
    slow: positive,
    truncate: v.boolean(),
    attention: positive,
  }),
  v.object({
    kind: v.literal('longrope'),
    factor: positive,
    original: positive,
    attention: positive,
    short: pairFactors,
    long: pairFactors,
  }),
])

const labelsSchema = v.pipe(
  v.array(v.string()),
  v.minLength(1),
  v.maxLength(4096),
  v.check((labels) => new Set(labels).size === labels.length, 'expected labels that differ'),
)

/** Bounded, because others than its author make plans and tables of these sizes before they have seen a weight. */
export const configSchema = v.pipe(
  v.object({
    arch: v.picklist(architectureNames),
    vocab: size(1 << 20),
    dim: size(1 << 16),
    embedding: v.optional(size(1 << 16)),
    layers: size(512),
    heads: size(1024),
    kvHeads: size(1024),
    headDim: v.optional(size(MOST_HEAD_DIM)),
    ff: size(1 << 18),
    eps: v.pipe(v.number(), v.finite(), v.minValue(0)),
    context: size(MOST_CONTEXT),
    ropeTheta: v.optional(v.pipe(v.number(), v.finite())),
    ropeScaling: v.optional(ropeScalingSchema),
    rotaryDim: v.optional(size(MOST_HEAD_DIM)),
    localRotary: v.optional(
      v.object({
        theta: positive,
        layers: v.pipe(v.array(v.pipe(count, v.maxValue(511))), v.maxLength(512)),
        window: v.optional(size(MOST_CONTEXT)),
      }),
    ),
    activation: v.picklist(['silu', 'gelu', 'gelu_tanh', 'gelu_sprint', 'relu', 'linear']),
    tied: v.boolean(),
    types: v.optional(size(16)),
    positionOffset: v.optional(v.pipe(count, v.maxValue(16))),
    head: v.optional(
      v.variant('kind', [
        v.object({
          kind: v.literal('classify'),
          labels: labelsSchema,
          pairs: v.optional(v.boolean()),
          outputs: v.optional(v.picklist(['sigmoid', 'raw'])),
          pooling: v.optional(v.literal('mean')),
        }),
        v.object({ kind: v.literal('tag'), labels: labelsSchema }),
        v.object({ kind: v.literal('mlm') }),
      ]),
    ),
    lora: v.optional(v.object({ rank: size(1024), alpha: positive, targets: v.array(v.string()) })),
    softcap: v.optional(positive),
    scoreDim: v.optional(positive),
    logitCap: v.optional(positive),
    softmaxCap: v.optional(positive),
  }),
  v.check(
    ({ dim, heads, kvHeads, headDim }) =>
      (headDim !== undefined || dim % heads === 0) && heads % kvHeads === 0,
    'the heads do not divide the width, or the key heads the heads',
  ),
  v.check(
    ({ head }) => head?.kind !== 'classify' || head.labels.length > 1 || head.outputs !== undefined,
    'one label alone is no choice',
  ),
  v.check(
    (c) => architectureOf(c).positions !== 'rotary' || (rotaryDim(c) % 2 === 0 && rotaryDim(c) <= headDim(c)),
    'what turns of a head is not pairs within it',
  ),
  v.check(
    (c) =>
      c.ropeScaling?.kind !== 'longrope' ||
      [c.ropeScaling.short, c.ropeScaling.long].every(({ length }) => 2 * length === rotaryDim(c)),
    'there is not a rotary factor for each pair of a head that turns',
  ),
)

/** Throws a {@link BundleError} that names what no bundle may have: a size beyond what others make tables of unseen. */
export function checkConfig(config: ModelConfig): void {
  const result = v.safeParse(configSchema, config)
  if (result.success) return
  const [issue] = result.issues
  const where = v.getDotPath(issue)
  throw new BundleError(
    'bad-manifest',
    `A bundle can't hold such a model: ${where ? `${where}: ` : ''}${issue.message}.`,
  )
}
