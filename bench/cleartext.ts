/** What the same machine needs for a fixed model in the clear: seconds of other machines compare by that. */
import { type Child, startChild } from './child.ts'
import { bertBase, floatingPointOperations } from './cleartext-graph.ts'
import { processor } from './processor.ts'
import { median, type Result } from './result.ts'

/** Runs before a case, and again after it. */
const TIMES = 5

/** BERT-base on 128 tokens in float32 by ONNX Runtime, on one thread in a process of its own. */
export class Cleartext {
  readonly #child: Child

  private constructor(child: Child) {
    this.#child = child
  }

  static start(): Cleartext {
    return new Cleartext(startChild('./cleartext-child.ts'))
  }

  /** The model alone. */
  async alone(): Promise<Result> {
    const cleartextSeconds = median(await this.#run(2 * TIMES))
    return {
      case: `reference: BERT-base in the clear, ${bertBase.tokens} tokens, float32, one thread`,
      cleartextSeconds,
      gigaflopsPerSecond: floatingPointOperations(bertBase) / cleartextSeconds / 1e9,
      processor: processor(),
    }
  }

  /** A case with the model run just before and just after it, and its seconds as multiples of the model's. */
  async beside(run: () => Promise<Result>): Promise<Result> {
    const before = await this.#run(TIMES)
    const result = await run()
    const cleartextSeconds = median([...before, ...(await this.#run(TIMES))])
    const times = (seconds: number | undefined) => seconds && seconds / cleartextSeconds
    return {
      ...result,
      cleartextSeconds,
      onlineTimesCleartext: times(result.onlineSeconds),
      offlineTimesCleartext: times(result.offlineSeconds),
      processor: processor(),
    }
  }

  stop(): Promise<void> {
    return this.#child.stop()
  }

  #run(times: number): Promise<number[]> {
    return this.#child.call('run', times)
  }
}

/** Starts the model's process for as long as `body` measures. */
export async function withCleartext<T>(body: (cleartext: Cleartext) => Promise<T>): Promise<T> {
  const cleartext = Cleartext.start()
  try {
    return await body(cleartext)
  } finally {
    await cleartext.stop()
  }
}

/** One case by itself: see `Cleartext.beside`. */
export const besideCleartext = (run: () => Promise<Result>): Promise<Result> =>
  withCleartext((cleartext) => cleartext.beside(run))
