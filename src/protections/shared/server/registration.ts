/** Registers a server's models at its dealer: header and every private tensor's b = W - F, in bounded parts. */
import { SessionError } from '../../../handshake/errors.ts'
import { limits } from '../../../handshake/limits.ts'
import { Estimate, type Pace } from '../../../model/estimate.ts'
import type { Link } from '../../../transport/link.ts'
import { encodeBlob, encodeJson, type ToDealer, type ToServer } from '../agreement/material-socket.ts'
import type { PlannedModel, ServerEngine } from '../agreement/parties.ts'

/** What a registrar tells of. */
export interface RegistrarEvents {
  onRegistered(model: PlannedModel): void
  /** Now and then, where a model takes long. */
  onProgress?(model: PlannedModel, pace: Pace): void
}

/** Between two times that something is told of how far a model is. */
const TOLD_EVERY_MS = 5000

/** Registers models at the dealer, one after another. */
export class Registrar {
  readonly #engine: ServerEngine
  readonly #onRegistered: RegistrarEvents['onRegistered']
  readonly #onProgress: RegistrarEvents['onProgress']
  readonly #registered = new Set<string>()
  readonly #pending = new Map<string, { resolve: () => void; reject: (error: Error) => void }>()

  constructor(engine: ServerEngine, { onRegistered, onProgress }: RegistrarEvents) {
    this.#engine = engine
    this.#onRegistered = onRegistered
    this.#onProgress = onProgress
  }

  /** Whether the dealer has this model. */
  has(modelHash: string): boolean {
    return this.#registered.has(modelHash)
  }

  /** Whether the dealer has all models. */
  get complete(): boolean {
    return this.#engine.models().every((model) => this.#registered.has(model.modelHash))
  }

  /** Sends one model after another. Rejects with the dealer's `SessionError`, or the link's. */
  async run(link: Link): Promise<void> {
    for (const model of this.#engine.models()) {
      await this.#register(link, model)
      this.#registered.add(model.modelHash)
      this.#onRegistered(model)
    }
  }

  /** The dealer's verdict on a model. */
  settle(message: Extract<ToServer, { t: 'registered' | 'unregistered' }>): void {
    const waiting = this.#pending.get(message.modelHash)
    if (message.t === 'registered') waiting?.resolve()
    else waiting?.reject(SessionError.parse(message.error))
  }

  /** The dealer is lost, and with it what it knew. */
  reset(reason: SessionError): void {
    this.#registered.clear()
    for (const { reject } of this.#pending.values()) reject(reason)
  }

  async #register(link: Link, model: PlannedModel): Promise<void> {
    const { modelHash, planHash, profile } = model
    const send = (message: ToDealer) => link.send(encodeJson(message), false)
    const { header, tensors, bytes } = this.#engine.registration(modelHash)
    const done = new Promise<void>((resolve, reject) => this.#pending.set(modelHash, { resolve, reject }))
    // It may reject while blobs are still being sent, which then reject themselves.
    done.catch(() => undefined)
    try {
      await send({ t: 'register', modelHash, planHash, profile })
      await sendBlob(link, 0, header)
      let index = 1
      const estimate = new Estimate(TOLD_EVERY_MS)
      let sent = 0
      for await (const tensor of tensors) {
        await sendBlob(link, index++, tensor)
        sent += tensor.length
        const pace = estimate.at(sent, bytes)
        if (pace) this.#onProgress?.(model, pace)
      }
      await send({ t: 'registered-all', modelHash })
      await done
    } finally {
      this.#pending.delete(modelHash)
    }
  }
}

async function sendBlob(link: Link, index: number, blob: Uint8Array): Promise<void> {
  let at = 0
  do {
    const part = blob.subarray(at, at + limits.tensorPartBytes)
    at += limits.tensorPartBytes
    await link.send(encodeBlob(index, at >= blob.length, part), false)
  } while (at < blob.length)
}
