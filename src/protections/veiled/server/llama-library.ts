/** As much of node-llama-cpp as is used here: the package is optional, so its own types may be missing. */

export interface LlamaLibrary {
  getLlama(options: { build: 'never'; logLevel: unknown; maxThreads: number }): Promise<Llama>
  readonly LlamaLogLevel: { readonly error: unknown }
}

interface Llama {
  loadModel(options: { modelPath: string }): Promise<LlamaModel>
  dispose(): Promise<void>
}

interface LlamaModel {
  readonly trainContextSize: number
  readonly fileInfo: {
    readonly metadata: { readonly tokenizer: { readonly ggml: { readonly tokens: readonly string[] } } }
  }
  createContext(options: object): Promise<LlamaContext>
  dispose(): Promise<void>
}

export interface LlamaContext {
  readonly sequencesLeft: number
  getSequence(): LlamaSequence
  dispose(): Promise<void>
}

/** What comes behind a token: asked for with `generateNext`. */
type Input = number | [token: number, options: { generateNext: object }]

export interface LlamaSequence {
  readonly nextTokenIndex: number
  eraseContextTokenRanges(ranges: readonly { start: number; end: number }[]): Promise<void>
  controlledEvaluate(
    input: readonly Input[],
  ): Promise<readonly (undefined | { readonly next: { readonly logits?: ReadonlyMap<number, number> } })[]>
  dispose(): Promise<void>
}
