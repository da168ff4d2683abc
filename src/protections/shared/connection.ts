/** A session of secret sharing behind the door: tokens go in, logits come out. */
import { sessionEnd } from '../../handshake/errors.ts'
import type { ProductDevice } from '../../kernels/kernels.ts'
import { bucketOf, buckets } from '../../model/buckets.ts'
import { EncoderEnds } from '../../model/encoder-ends.ts'
import type { Ends } from '../../model/ends.ts'
import type { PublicModel } from '../../model/files/bundle.ts'
import type { TextInput } from '../../model/graph/interpret.ts'
import type { Floats } from '../../model/math.ts'
import { type ModelTexts, textsOf } from '../../model/texts.ts'
import type { Link } from '../../transport/link.ts'
import type { Connection, Counts, ExplainedChoice, RunOptions } from '../protection.ts'
import type { Agreement } from './agreement/agreement.ts'
import type { ProfiledModel } from './profiles/profile.ts'
import { checkReleased } from './released.ts'
import type { OwnerSession } from './session/owner-session.ts'
import { MAX_ROWS } from './session/pass-messages.ts'

/** Rows of input-independent work kept ready, and how many are made at a time. */
const READY_ROWS = 32
const READY_BATCH = 8

/** What a connection is put together from. */
export interface SharedParts {
  readonly model: PublicModel
  /** What the owner itself computes: of a model that continues text, or of an encoder. */
  readonly ends: Ends | EncoderEnds
  readonly session: OwnerSession
  readonly agreement: Agreement
  readonly link: Link
  readonly device: ProductDevice
  /** What released numbers may span, where the model's profile knows it. */
  readonly released?: ProfiledModel['released']
  /** Address of the dealer. */
  readonly dealer: string
  /** Why this link and this device, for people. */
  readonly reasons: { readonly link: string; readonly backend: string }
}

/** Public ends are computed here in the clear, everything else by the session. */
export class SharedConnection implements Connection {
  readonly ends: Ends | EncoderEnds
  readonly session: OwnerSession
  readonly sessionId: string
  readonly link: ExplainedChoice
  readonly backend: ExplainedChoice
  readonly dealer: string
  readonly texts: ModelTexts
  readonly maxTokens: number
  readonly #parts: SharedParts

  constructor(parts: SharedParts) {
    const { session, agreement, link, device, reasons, ends, model } = parts
    this.#parts = parts
    this.ends = ends
    this.session = session
    this.sessionId = agreement.sessionId
    this.link = { name: link.kind, reason: reasons.link }
    this.backend = { name: device.name, reason: reasons.backend }
    this.dealer = parts.dealer
    this.texts = textsOf(model)
    this.maxTokens = ends instanceof EncoderEnds ? Math.max(...buckets(model.manifest.config)) : MAX_ROWS
  }

  /** Rejects with `Cancelled`, `PassError`, `LinkError`, `ProtectionError` (`out-of-range`), or the `SessionError` that the server ended the session with. */
  async run(base: number, input: TextInput, options?: RunOptions): Promise<Floats> {
    try {
      return await this.#run(base, input, options)
    } catch (error) {
      throw sessionEnd(error)
    }
  }

  async #run(base: number, input: TextInput, { next, signal }: RunOptions = {}): Promise<Floats> {
    const { ends, session, model } = this.#parts
    const { config } = model.manifest
    if (!(ends instanceof EncoderEnds)) {
      const rows = ends.embed(Array.from(input.ids), base)
      return ends.logits(
        checkReleased(
          this.#parts.released,
          await session.run(base, rows, { next: next !== undefined, signal }),
        ),
      )
    }
    const { rows, padding } = ends.input(input)
    const bucket = next === undefined ? false : bucketOf(config, next)
    const released = checkReleased(
      this.#parts.released,
      await session.run(base, rows, { padding, next: bucket, signal }),
    )
    return config.head?.kind === 'classify' ? released : ends.tokens(released, input.ids.length)
  }

  /** Makes products of masks ahead, for 32 rows at most. */
  prepare(onProgress?: () => void): Promise<void> {
    return this.session.pool.fill(READY_ROWS, READY_BATCH, onProgress)
  }

  onEnd(listener: (error: Error) => void): void {
    this.#parts.link.onEnd?.((error) => listener(sessionEnd(error) as Error))
  }

  /** Tells the server; the masks of the pass are burnt at both parties. */
  abandon(): Promise<void> {
    return this.session.drop()
  }

  /** Closes the link, and takes leave of the dealer. */
  async close(): Promise<void> {
    const { link, agreement, session } = this.#parts
    await Promise.allSettled([link.close('The owner has left.'), agreement.close(), session.pool.close()])
  }

  counts(): Counts {
    const { session, link, agreement, device } = this.#parts
    const { rows, hops, dealerBytes, lastSent, lastRequest, ...run } = session.totals
    return {
      tokens: rows,
      tokensReady: session.pool.ready,
      hops,
      privateProducts: session.privateProducts,
      dispatches: device.dispatches,
      server: link.traffic,
      serverSample: lastSent,
      dealer: { traffic: agreement.traffic, toServerBytes: dealerBytes, sample: lastRequest },
      audits: session.isAudited
        ? { audited: run.audited, passes: run.passes + run.rehearsed, dealtBytes: run.auditBytes }
        : undefined,
    }
  }
}
