/** Which engine runs a cloud's folder. */
import { availableParallelism } from 'node:os'
import type { EngineName } from '../engines.ts'
import type { Cloud } from './checkpoint.ts'
import { type Engine, EngineError } from './engine.ts'
import { loadLlama } from './llama.ts'
import { loadDecoder } from './onnx/decoder.ts'
import { decoderFamily } from './onnx/decoder-graph.ts'
import { loadEncoder } from './onnx/encoder.ts'
import { encoderForm } from './onnx/encoder-graph.ts'
import { loadLlava } from './onnx/llava.ts'
import { loadVit } from './onnx/vit.ts'
import { loadUpstream, type Upstream } from './upstream.ts'

/** What runs a model, and on how many threads. */
export interface EngineChoice {
  readonly name?: EngineName
  /** Address of an engine that runs already. */
  readonly upstream?: Upstream
  readonly threads?: number
}

/** Loads a model into an engine. Rejects with {@link EngineError} or `HfConfigError` for what it cannot run. */
export async function loadEngine(
  cloud: Cloud,
  { name = 'onnx', upstream, threads = availableParallelism() }: EngineChoice = {},
): Promise<Engine> {
  if (upstream !== undefined) return loadUpstream(cloud, upstream)
  if (name === 'llama') return loadLlama(cloud, threads)
  const type = cloud.config.model_type
  const family = decoderFamily(type)
  if (family) return loadDecoder(cloud, family, threads)
  const form = encoderForm(type)
  if (form) return loadEncoder(cloud, form, threads)
  if (type === 'vit') return loadVit(cloud, threads)
  if (type === 'llava') return loadLlava(cloud, threads)
  throw new EngineError(`${cloud.dir}: no engine here runs models of type ${JSON.stringify(type)}.`)
}
