/** Configurations from and to Hugging Face's `config.json`. */
import type { ModelConfig } from './config.ts'
import { type HfConfig, HfConfigError, HfReader } from './hf-reader.ts'
import { architectureOf, architectures } from './registry.ts'

export { type HfConfig, HfConfigError } from './hf-reader.ts'

/**
 * Reads a `config.json` of whatever form the registry knows; `file` is what errors call it, `asked` the context that the
 * model is for, where not its own. Throws {@link HfConfigError} naming what is missing or not supported.
 */
export function fromHfConfig(json: HfConfig, file = 'config.json', asked?: number): ModelConfig {
  const read = new HfReader(json, file, asked)
  refuseQuantized(read)
  const type = String(json.model_type)
  for (const { huggingFace: form } of architectures) {
    if (form.modelTypes.includes(type)) return within(form.read(read), read)
    if (form.refused && Object.hasOwn(form.refused, type)) read.refuse('model_type', form.refused[type])
  }
  const supported = architectures.flatMap(({ huggingFace }) => huggingFace.modelTypes)
  throw new HfConfigError(
    `${file}: model_type "${json.model_type}" is not supported. ` +
      `Supported are ${supported.slice(0, -1).join(', ')} and ${supported.at(-1)}.`,
  )
}

/** A model that was asked for a context has come with the longest that it reaches. */
function within(config: ModelConfig, read: HfReader): ModelConfig {
  const { asked } = read
  if (asked === undefined) return config
  if (asked > config.context) read.complain(`the model reaches ${config.context} positions, not ${asked}.`)
  return { ...config, context: asked }
}

/** Weights that were rounded by somebody else's scheme are not the numbers that their names say. */
function refuseQuantized(read: HfReader): void {
  const found = read.json.quantization_config as HfConfig | null | undefined
  if (typeof found !== 'object' || found === null) return
  const method = typeof found.quant_method === 'string' ? found.quant_method : bitsAndBytes(found)
  read.complain(
    `the weights are quantized by ${method}, which is not supported. Use the model that they were made from, in float16 or bfloat16.`,
  )
}

const bitsAndBytes = (config: HfConfig): string =>
  config.load_in_4bit === true || config.load_in_8bit === true ? 'bitsandbytes' : 'an unnamed method'

/** The `config.json` that Hugging Face's loaders expect for this model. */
export const toHfConfig = (c: ModelConfig, text: { bos?: number; end?: number } = {}): HfConfig =>
  architectureOf(c).huggingFace.write(c, text)
