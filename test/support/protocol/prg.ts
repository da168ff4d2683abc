/** Keystreams that tests can choose or watch. */
import type { Kernels } from '../../../src/kernels/kernels.ts'
import { createWasmKernels } from '../../../src/kernels/wasm/kernels.ts'
import { laneBytes, Prg } from '../../../src/protections/shared/prg.ts'
import type { Lanes } from '../../../src/protections/shared/ring.ts'

/** One row's part of a stream, as somebody read it. */
export interface StreamRead {
  readonly stream: number
  readonly serial: number
  /** Where in the reader's lanes the part lies. */
  readonly at: number
  readonly n: number
  /** Bytes of keystream that one lane takes. */
  readonly width: number
}

/** Notes which streams are read, and leaves zeros. */
export class StreamRecorder extends Prg {
  readonly reads: StreamRead[] = []

  constructor() {
    super(createWasmKernels(), new Uint8Array(32))
  }

  override fill(...args: Parameters<Prg['fill']>): void {
    const [stream, serial, bits, , at, n, width = laneBytes(bits)] = args
    this.reads.push({ stream, serial, at, n, width })
  }

  override words(stream: number, serial: number, width: number, out: Uint8Array): void {
    this.reads.push({ stream, serial, at: out.byteOffset / width, n: out.length / width, width })
  }
}

/** What `read` takes from a keystream. */
export function readsOf(read: (prg: Prg) => void): StreamRead[] {
  const recorder = new StreamRecorder()
  read(recorder)
  return recorder.reads
}

const named = (key: Uint8Array, stream: number, serial: number): string =>
  `${Buffer.from(key).toString('hex')} ${stream} ${serial}`

/** Kernels whose keystreams a test may choose, stream by stream; all others are the real ones. */
export class ChosenKeystreams {
  readonly kernels: Kernels
  readonly #base: Kernels
  readonly #chosen = new Map<string, Uint8Array>()

  constructor(base: Kernels) {
    this.#base = base
    const keystream: Kernels['keystream'] = (key, nonce, offset, out) => {
      const view = new DataView(nonce.buffer, nonce.byteOffset)
      this.#write(key, view.getUint32(0, true), Number(view.getBigUint64(4, true)), offset, out)
    }
    /** 64-byte blocks of one stream at (block, serial's low and high half). */
    const blocks = (key: Uint8Array, stream: number, places: Uint32Array): Uint8Array => {
      const out = new Uint8Array((places.length / 3) * 64)
      for (let i = 0; i < places.length / 3; i++) {
        const serial = places[3 * i + 1] + places[3 * i + 2] * 2 ** 32
        this.#write(key, stream, serial, places[3 * i] * 64, out.subarray(64 * i, 64 * i + 64))
      }
      return out
    }
    const own: Record<string | symbol, unknown> = { keystream, blocks }
    this.kernels = new Proxy(base, {
      get: (target, name) => own[name] ?? Reflect.get(target, name),
    })
  }

  /** Makes `read` yield `lanes` under `key`. Throws `RangeError` on a stream that was chosen before. */
  choose(key: Uint8Array, read: (prg: Prg) => void, lanes: Lanes): void {
    for (const { stream, serial, at, n, width } of readsOf(read)) {
      const bytes = new Uint8Array(n * width)
      const words = new Uint8Array(lanes.slice(at, at + n).buffer)
      for (let i = 0; i < n; i++) bytes.set(words.subarray(8 * i, 8 * i + width), i * width)
      const name = named(key, stream, serial)
      if (this.#chosen.has(name)) throw new RangeError(`stream ${stream} of row ${serial} has two purposes`)
      this.#chosen.set(name, bytes)
    }
  }

  #write(key: Uint8Array, stream: number, serial: number, offset: number, out: Uint8Array): void {
    const chosen = this.#chosen.get(named(key, stream, serial))
    if (chosen) {
      out.fill(0)
      out.set(chosen.subarray(offset, offset + out.length))
      return
    }
    const nonce = new Uint8Array(12)
    const view = new DataView(nonce.buffer)
    view.setUint32(0, stream, true)
    view.setBigUint64(4, BigInt(serial), true)
    this.#base.keystream(key, nonce, offset, out)
  }
}
