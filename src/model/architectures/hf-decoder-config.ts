import type { Activation, ModelConfig } from './config.ts'
import { headDim, rotaryDim } from './config.ts'
import { type HfConfig, type HfReader, llamaSizesToHf } from './hf-reader.ts'
import { positionsOf, ropeFromHf, ropeToHf, turnedFromHf } from './hf-rope.ts'

/** What one of LLaMA's kin may have that others refuse. */
export interface DecoderForm {
  readonly arch: string
  /** Fields that must be absent or false. */
  readonly lacks: readonly string[]
  readonly activations?: readonly Activation[]
  /** A window counts only where this field says so. */
  readonly windowIf?: string
  /** Width of a head where the file says nothing; else the heads together are as wide as the stream. */
  readonly headDim?: number
  /** The part of a head that turns where the file says nothing; forms without it turn all of it. */
  readonly turned?: number
  /** What the norm's epsilon is called, where not as in LLaMA. */
  readonly eps?: string
}

/** The configuration of a decoder in LLaMA's form. Throws `HfConfigError`. */
export function readDecoder(reader: HfReader, form: DecoderForm): ModelConfig {
  reader.languageModel()
  if (reader.json.rope_interleaved) reader.refuse('rope_interleaved', 'pairs must be a half apart')
  for (const key of form.lacks)
    if (reader.json[key]) reader.refuse(key, `the private ${form.arch} form has no such biases`)
  const heads = reader.size('num_attention_heads')
  const dim = reader.size('hidden_size')
  const hasOwn = typeof reader.json.head_dim === 'number'
  const own = hasOwn ? reader.size('head_dim', undefined, 1024) : form.headDim
  const turned = turnedFromHf(reader, own ?? dim / heads, form.turned)
  const longest = reader.size('max_position_embeddings')
  const rope = ropeFromHf(reader, longest)
  const context = positionsOf(reader, rope, longest)
  const window = form.windowIf && reader.json[form.windowIf] !== true ? undefined : reader.json.sliding_window
  const config: ModelConfig = {
    arch: form.arch,
    vocab: reader.size('vocab_size'),
    dim,
    layers: reader.layers('num_hidden_layers'),
    heads,
    kvHeads: reader.size('num_key_value_heads', heads),
    ...(own !== undefined && own * heads !== dim ? { headDim: own } : {}),
    ff: reader.size('intermediate_size'),
    eps: reader.number(form.eps ?? 'rms_norm_eps'),
    // Within the window, attention to a sliding window is attention to everything.
    context: typeof window === 'number' && window > 0 ? Math.min(context, window) : context,
    ...rope,
    ...(turned === undefined ? {} : { rotaryDim: turned }),
    activation: reader.activation('hidden_act', form.activations ?? ['silu']),
    tied: reader.json.tie_word_embeddings === true,
  }
  reader.divides(config)
  turnsInPairs(reader, config)
  return config
}

function turnsInPairs(reader: HfReader, config: ModelConfig): void {
  const width = rotaryDim(config)
  if (width % 2 !== 0) reader.complain(`heads of ${headDim(config)} components have no pairs to turn.`)
  const { ropeScaling: s } = config
  if (s?.kind === 'longrope' && [s.short, s.long].some(({ length }) => 2 * length !== width))
    reader.complain(`"rope_scaling" must have a factor for each of the ${width / 2} pairs of a head.`)
}

/** As `readDecoder` takes it back; `type` is Hugging Face's, `name` what its classes begin with. */
export const decoderToHf = (
  c: ModelConfig,
  { type, name }: { type: string; name: string },
  ids: { bos?: number; end?: number },
): HfConfig => ({
  architectures: [`${name}ForCausalLM`],
  model_type: type,
  ...llamaSizesToHf(c, ids, { headDim: headDim(c), rope: ropeToHf(c) }),
  ...(c.rotaryDim === undefined ? {} : { partial_rotary_factor: c.rotaryDim / headDim(c) }),
  // Such a file says how far the model reaches, of which a context is a part.
  ...(c.ropeScaling?.kind === 'longrope'
    ? { max_position_embeddings: c.ropeScaling.original * c.ropeScaling.factor }
    : {}),
})
