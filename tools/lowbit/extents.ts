import type { InferenceSession } from 'onnxruntime-node'
import { valueKinds } from './precision.ts'
import type { Measured } from './task.ts'

/** Gathers what graphs with `measure` report, over batches. */
export class Extents {
  readonly #squares = new Map<string, number[]>()
  readonly #most = new Map<string, number>()

  add(found: InferenceSession.OnnxValueMapType): void {
    for (const kind of valueKinds) {
      if (!found[`mean ${kind}`]) continue
      const means = found[`mean ${kind}`].data as Float32Array
      const known = this.#squares.get(kind) ?? []
      known.push(means.reduce((a, b) => a + b, 0) / means.length)
      this.#squares.set(kind, known)
      const most = found[`most ${kind}`].data as Float32Array
      this.#most.set(kind, Math.max(this.#most.get(kind) ?? 0, ...most))
    }
  }

  get measured(): Measured {
    const of = (kind: string) => {
      const all = this.#squares.get(kind) ?? [0]
      return { rms: Math.sqrt(all.reduce((a, b) => a + b) / all.length), most: this.#most.get(kind) ?? 0 }
    }
    return Object.fromEntries(valueKinds.map((kind) => [kind, of(kind)])) as unknown as Measured
  }
}
