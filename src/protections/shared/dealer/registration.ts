/** Puts the parts of a registration together: blob 0 is the header, the others the private tensors' b. */
import { concatBytes } from '@noble/hashes/utils.js'
import { SessionError, toSessionError } from '../../../handshake/errors.ts'
import { limits } from '../../../handshake/limits.ts'
import { limits as transport } from '../../../transport/limits.ts'
import { Queue } from '../../../transport/queue.ts'
import type { SocketMessage } from '../agreement/material-socket.ts'
import type { DealerEngine, PlannedModel } from '../agreement/parties.ts'

type Blob = Extract<SocketMessage, { kind: 'blob' }>

/** Bytes of tensors that may wait for the engine before the server does. */
const WAITING_BYTES = 64 * 1024 * 1024

/** A model on its way in: header first, then tensors in parts. */
export class Registration {
  readonly model: PlannedModel
  /** Settles when the engine has taken everything in. */
  readonly done: Promise<void>
  readonly #tensors = new Queue()
  #parts: Uint8Array[] = []
  #size = 0
  #index = 0
  #start!: (header: Uint8Array) => void
  readonly #header: Promise<Uint8Array>
  #rejectHeader!: (error: Error) => void

  constructor(model: PlannedModel, engine: DealerEngine) {
    this.model = model
    this.#header = new Promise((resolve, reject) => {
      this.#start = resolve
      this.#rejectHeader = reject
    })
    this.done = this.#header
      .then((header) => engine.registerModel(model.modelHash, header, this.#tensors))
      .then((planHash) => {
        if (planHash !== model.planHash) {
          throw new SessionError('plan-mismatch', 'Server and dealer make different plans of this model.')
        }
      })
      .catch((error) => {
        throw toSessionError(error)
      })
    this.done.catch(() => this.#tensors.end())
  }

  /** Resolves when there is room for the next part. Throws `SessionError` on disorder. */
  async add(blob: Blob): Promise<void> {
    if (blob.index !== this.#index) throw new SessionError('malformed', 'A registration came out of order.')
    if (blob.bytes.length === 0 && !blob.last)
      throw new SessionError('malformed', 'A part of a registration is empty.')
    this.#size += blob.bytes.length + transport.messageCost
    if (
      this.#size >
      limits.tensorBytes + transport.messageCost * (limits.tensorBytes / limits.tensorPartBytes)
    )
      throw new SessionError('oversized', 'A tensor of a registration is too large.')
    this.#parts.push(blob.bytes)
    if (!blob.last) return
    const whole = concatBytes(...this.#parts)
    this.#parts = []
    this.#size = 0
    if (this.#index++ === 0) this.#start(whole)
    else {
      this.#tensors.push(whole)
      await this.#tensors.room(WAITING_BYTES)
    }
  }

  /** The last tensor has come. */
  finish(): void {
    if (this.#index === 0) this.fail(new SessionError('malformed', 'A registration came without its header.'))
    this.#tensors.end()
  }

  /** The model will not come: the engine hears why. */
  fail(error: Error): void {
    this.#rejectHeader(error)
    this.#tensors.drop()
    this.#tensors.end(error)
  }
}
