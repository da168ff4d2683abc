/** What runs of the float reference have in common: nobody else takes part, and only tokens are counted. */
import type { PublicModel } from '../../model/files/bundle.ts'
import type { TextInput } from '../../model/graph/interpret.ts'
import type { Floats } from '../../model/math.ts'
import { type ModelTexts, textsOf } from '../../model/texts.ts'
import { newTraffic } from '../../transport/link.ts'
import { Cancelled, type Connection, type Counts, type RunOptions } from '../protection.ts'

/** Runs one pass at a time in this thread; nothing is prepared, and nothing sent. */
export abstract class ClearConnection implements Connection {
  readonly sessionId = 'none'
  readonly link = { name: 'none', reason: 'Nothing leaves this device.' }
  readonly backend = { name: 'float64', reason: 'The float reference computes on the processor.' }
  readonly texts: ModelTexts
  abstract readonly maxTokens: number
  #tokens = 0

  constructor(model: PublicModel) {
    this.texts = textsOf(model)
  }

  async run(base: number, input: TextInput, { signal }: RunOptions = {}): Promise<Floats> {
    // A pass holds this thread: whoever wants to stop is heard before it.
    await new Promise((resolve) => setTimeout(resolve))
    if (signal?.aborted) throw new Cancelled('stopped')
    const out = this.forward(base, input)
    this.#tokens += input.ids.length
    return out
  }

  /** One pass, as `Connection.run` describes it. */
  protected abstract forward(base: number, input: TextInput): Floats

  async prepare(): Promise<void> {}
  async abandon(): Promise<void> {}
  async close(): Promise<void> {}

  counts(): Counts {
    return {
      tokens: this.#tokens,
      tokensReady: 0,
      hops: 0,
      privateProducts: 0,
      dispatches: 0,
      server: newTraffic(),
      serverSample: new Uint8Array(),
    }
  }
}
