/** Stock llama.cpp, through the optional package node-llama-cpp: by token ids, from the GGUF file of a cloud's folder. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { SessionError } from '../../../handshake/errors.ts'
import type { Cloud } from './checkpoint.ts'
import { type DecoderEngine, type DecoderSession, EngineError, TOP, type TopLogits } from './engine.ts'
import type { LlamaContext, LlamaLibrary, LlamaSequence } from './llama-library.ts'

/** Texts at once, each with room for a whole context: what that takes is allotted before the first comes. */
const TEXTS = 8

/** Tokens between two looks at whether anybody still waits. */
const CHUNK = 64

/** Rejects with {@link EngineError} where the package or the file is missing. */
export async function loadLlama(cloud: Cloud, threads: number): Promise<DecoderEngine> {
  const modelPath = join(cloud.dir, 'model.gguf')
  if (!existsSync(modelPath))
    throw new EngineError(`${modelPath} is missing: veil the model with --gguf, or use --engine onnx.`)
  const { getLlama, LlamaLogLevel } = await library()
  const llama = await getLlama({ build: 'never', logLevel: LlamaLogLevel.error, maxThreads: threads })
  const model = await llama.loadModel({ modelPath })
  const context = await model.createContext({
    ...{ contextSize: model.trainContextSize, sequences: TEXTS, threads },
    // Caches in F16 would round more than the weights' own type does.
    ...{ experimentalKvCacheKeyType: 'F32', experimentalKvCacheValueType: 'F32', flashAttention: false },
  })
  const vocab = model.fileInfo.metadata.tokenizer.ggml.tokens.length
  return new LlamaEngine(context, {
    vocab,
    context: model.trainContextSize,
    close: async () => {
      await context.dispose()
      await model.dispose()
      await llama.dispose()
    },
  })
}

/** The package is no dependency: it weighs 85 MB without its libraries for graphics processors. */
async function library(): Promise<LlamaLibrary> {
  const name = 'node-llama-cpp'
  try {
    return (await import(name)) as LlamaLibrary
  } catch (cause) {
    throw new EngineError(
      'The engine llama needs node-llama-cpp: npm install --no-save node-llama-cpp. Or use --engine onnx.',
      { cause },
    )
  }
}

class LlamaEngine implements DecoderEngine {
  readonly kind = 'decoder'
  readonly name = 'llama.cpp'
  readonly vocab: number
  readonly context: number
  readonly top: number
  readonly close: () => Promise<void>
  readonly #context: LlamaContext

  constructor(context: LlamaContext, facts: { vocab: number; context: number; close: () => Promise<void> }) {
    this.#context = context
    this.vocab = facts.vocab
    this.context = facts.context
    this.close = facts.close
    this.top = Math.min(TOP, facts.vocab)
  }

  async open(): Promise<DecoderSession> {
    if (this.#context.sequencesLeft === 0)
      throw new SessionError('too-many-sessions', 'All places of the engine are taken.')
    const sequence = this.#context.getSequence()
    let last: Promise<unknown> = Promise.resolve()
    return {
      next: (base, ids, signal) => {
        const answer = next(sequence, base, ids, this.top, signal)
        last = answer.catch(() => undefined)
        return answer
      },
      close: async () => {
        await last
        await sequence.dispose()
      },
    }
  }
}

async function next(
  sequence: LlamaSequence,
  base: number,
  ids: Uint32Array,
  top: number,
  signal: AbortSignal,
): Promise<TopLogits> {
  const end = sequence.nextTokenIndex
  if (end > base) await sequence.eraseContextTokenRanges([{ start: base, end }])
  for (let at = 0; ; at += CHUNK) {
    signal.throwIfAborted()
    const part = [...ids.subarray(at, at + CHUNK)]
    if (at + CHUNK < ids.length) {
      await sequence.controlledEvaluate(part)
      continue
    }
    const generateNext = { logits: { filter: { tokens: [], includeTop: top } } }
    const results = await sequence.controlledEvaluate([
      ...part.slice(0, -1),
      [part[part.length - 1], { generateNext }],
    ])
    const logits = results.at(-1)?.next.logits
    if (!logits) throw new EngineError('llama.cpp has told no logits.')
    const best = [...logits].sort(([, a], [, b]) => b - a).slice(0, top)
    return {
      ids: Uint32Array.from(best, ([id]) => id),
      logits: Float32Array.from(best, ([, logit]) => logit),
    }
  }
}
