import { KernelError } from '../error.ts'
import { BufferPool } from './pool.ts'
import { compilePipelines, type KernelName } from './shaders.ts'

/** Bytes of every parameter block; the largest kernel needs 60. */
const UNIFORM_BYTES = 64

/** A grid of workgroups. */
export type Grid = [x: number, y: number, z?: number]

/** A device with its pipelines and buffers, and what goes wrong with it as `KernelError`s. */
export class Gpu {
  readonly device: GPUDevice
  readonly pool: BufferPool
  /** Resolves with the reason when the device is lost. */
  readonly lost: Promise<string>
  dispatches = 0
  readonly #pipelines: Record<KernelName, GPUComputePipeline>
  readonly #failure: Promise<never>

  private constructor(device: GPUDevice, pipelines: Record<KernelName, GPUComputePipeline>) {
    this.device = device
    this.pool = new BufferPool(device)
    this.#pipelines = pipelines
    this.lost = device.lost.then((info) => info.message || info.reason || 'unknown reason')
    this.#failure = this.lost.then((reason) => {
      throw new KernelError(`the GPU was lost: ${reason}`)
    })
    // a loss while nothing is in flight is reported through `lost` only
    this.#failure.catch(() => {})
  }

  /** Compiles every pipeline. Rejects with `KernelError` where the driver refuses one. */
  static async create(device: GPUDevice): Promise<Gpu> {
    return new Gpu(device, await compilePipelines(device))
  }

  /** `work`, unless the device is lost first or it fails: then a KernelError. */
  async guard<T>(what: string, work: Promise<T>): Promise<T> {
    try {
      return await Promise.race([this.#failure, work])
    } catch (cause) {
      if (cause instanceof KernelError) throw cause
      throw new KernelError(`${what}: ${cause instanceof Error ? cause.message : cause}`, { cause })
    }
  }

  /** A buffer that kernels read and write, and that can be copied from and to. */
  storage(bytes: number): GPUBuffer {
    return this.pool.take(bytes, GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST)
  }

  /**
   * Runs the synchronous `encode` under error scopes and submits what it encoded.
   * @throws KernelError on a validation error or when the device has no memory left.
   */
  async submit(what: string, encode: (batch: Batch) => void): Promise<void> {
    this.device.pushErrorScope('validation')
    this.device.pushErrorScope('out-of-memory')
    const batch = new Batch(this)
    try {
      encode(batch)
    } finally {
      // closed in the same turn, so scopes of concurrent products stay nested
      batch.flush()
      batch.done()
    }
    const scopes = Promise.all([this.device.popErrorScope(), this.device.popErrorScope()])
    const [memory, validation] = await this.guard(what, scopes)
    const error = memory ?? validation
    if (error) throw new KernelError(`${what}: ${memory ? 'out of GPU memory: ' : ''}${error.message}`)
  }

  /** Copies the first `bytes` bytes of a storage buffer out. */
  async read(what: string, buffer: GPUBuffer, bytes: number): Promise<ArrayBuffer> {
    const size = Math.ceil(bytes / 8) * 8
    const staging = this.pool.take(size, GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST)
    const encoder = this.device.createCommandEncoder()
    encoder.copyBufferToBuffer(buffer, 0, staging, 0, size)
    this.device.queue.submit([encoder.finish()])
    await this.guard(what, staging.mapAsync(GPUMapMode.READ, 0, size))
    const copy = staging.getMappedRange(0, size).slice(0, bytes)
    staging.unmap()
    this.pool.give(staging)
    return copy
  }

  pipeline(name: KernelName): GPUComputePipeline {
    return this.#pipelines[name]
  }
}

/** Dispatches on their way to the queue. */
export class Batch {
  readonly #gpu: Gpu
  readonly #uniforms: GPUBuffer[] = []
  #encoder: GPUCommandEncoder | undefined

  constructor(gpu: Gpu) {
    this.#gpu = gpu
  }

  /** One dispatch: storage buffers take bindings 0.., the parameter words the last one. */
  run(name: KernelName, buffers: GPUBuffer[], params: number[], [x, y, z = 1]: Grid): void {
    const { device, pool } = this.#gpu
    const uniform = pool.take(UNIFORM_BYTES, GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST)
    this.#uniforms.push(uniform)
    device.queue.writeBuffer(uniform, 0, Uint32Array.from(params))
    const pipeline = this.#gpu.pipeline(name)
    const entries = [...buffers, uniform].map((buffer, binding) => ({ binding, resource: { buffer } }))
    this.#encoder ??= device.createCommandEncoder()
    const pass = this.#encoder.beginComputePass({ label: name })
    pass.setPipeline(pipeline)
    pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }))
    pass.dispatchWorkgroups(x, y, z)
    pass.end()
    this.#gpu.dispatches++
  }

  /** Submits what was encoded so far: a browser kills a GPU process whose submission runs for ten seconds. */
  flush(): void {
    if (this.#encoder) this.#gpu.device.queue.submit([this.#encoder.finish()])
    this.#encoder = undefined
  }

  /** Gives the parameter blocks back; the submissions that read them come first in the queue. */
  done(): void {
    for (const buffer of this.#uniforms) this.#gpu.pool.give(buffer)
  }
}
