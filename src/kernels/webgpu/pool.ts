/** Buffers waiting to be used again, above this many bytes, are destroyed instead. */
const KEEP_BYTES = 128 << 20

/**
 * GPU buffers by usage and power-of-two size. A released buffer may be taken again at once: the queue runs in
 * order, so its next writer comes after its last reader.
 */
export class BufferPool {
  readonly #device: GPUDevice
  readonly #spare = new Map<string, GPUBuffer[]>()
  #kept = 0

  constructor(device: GPUDevice) {
    this.#device = device
  }

  /** A buffer of at least `bytes` bytes; contents undefined. */
  take(bytes: number, usage: GPUBufferUsageFlags): GPUBuffer {
    const size = 2 ** Math.ceil(Math.log2(Math.max(bytes, 256)))
    const found = this.#spare.get(`${usage}:${size}`)?.pop()
    if (!found) return this.#device.createBuffer({ size, usage })
    this.#kept -= size
    return found
  }

  /** Releases a buffer to whoever takes the next of its usage and size. */
  give(buffer: GPUBuffer): void {
    if (this.#kept + buffer.size > KEEP_BYTES) {
      buffer.destroy()
      return
    }
    const key = `${buffer.usage}:${buffer.size}`
    const list = this.#spare.get(key)
    if (list) list.push(buffer)
    else this.#spare.set(key, [buffer])
    this.#kept += buffer.size
  }
}
