/** The module's memory for one matrix: pieces of words, tiles and maps, all given back at the end. */
import type { LinearMap, Step } from '../../src/protections/veiled/linear-map.ts'
import { type TileExports, tileModule } from './wasm/module.ts'
import { type WordType, wordBytes } from './words.ts'

/** Bytes of a component of a tile: of all its vectors. */
export const TILE = 64

/** Runs `body` with memory of its own. */
export function withWorkspace<T>(type: WordType, body: (space: Workspace) => T): T {
  const space = new Workspace(type)
  try {
    return body(space)
  } finally {
    space.free()
  }
}

/** Words of 16 bits are worked with as f32, which loses nothing to speak of; others as f64. */
export class Workspace {
  readonly type: WordType
  readonly x: TileExports
  readonly isWide: boolean
  /** Bytes of a float. */
  readonly floatBytes: number
  /** Vectors of a tile. */
  readonly lanes: number
  readonly #taken: number[] = []

  constructor(type: WordType) {
    this.type = type
    this.x = tileModule().x
    this.isWide = wordBytes[type] > 2
    this.floatBytes = this.isWide ? 8 : 4
    this.lanes = TILE / this.floatBytes
  }

  /** Address of fresh bytes, followed by zeros. Views made earlier may be detached. */
  alloc(bytes: number): number {
    // What works in steps of a tile may read and write a little beyond the end.
    const at = tileModule().arena.alloc(bytes + TILE)
    this.#taken.push(at)
    this.bytes(at + bytes, TILE).fill(0)
    return at
  }

  /** The bytes at an address, until more are allocated. */
  bytes(at: number, length: number): Uint8Array {
    return new Uint8Array(this.x.memory.buffer, at, length)
  }

  /** Puts a table into fresh memory. */
  put(table: Uint32Array | Uint16Array | Int16Array | Int32Array): number {
    const at = this.alloc(table.byteLength)
    this.bytes(at, table.byteLength).set(new Uint8Array(table.buffer, table.byteOffset, table.byteLength))
    return at
  }

  /** Puts floats in the precision that is worked in. */
  putFloats(values: Float64Array): number {
    const at = this.alloc(values.length * this.floatBytes)
    this.floats(at, values.length).set(values)
    return at
  }

  /** The floats at an address, until more are allocated. */
  floats(at: number, length: number): Float32Array | Float64Array {
    const { buffer } = this.x.memory
    return this.isWide ? new Float64Array(buffer, at, length) : new Float32Array(buffer, at, length)
  }

  free(): void {
    for (const at of this.#taken.splice(0)) tileModule().arena.free(at)
  }

  /** A map with its tables in the module's memory. */
  map({ size, steps }: LinearMap): TileMap {
    const runs = steps.map((step) => this.#step(step, size))
    return (x, spare) => {
      for (const run of runs) if (run(x, spare)) [x, spare] = [spare, x]
      return x
    }
  }

  /** Runs a step on a tile; whether its result is in the other one. */
  #step(step: Step, size: number): (x: number, out: number) => boolean {
    const { x: module, isWide } = this
    switch (step.kind) {
      case 'monomial': {
        const from = this.put(step.from)
        const scale = this.putFloats(step.scale ?? new Float64Array(size).fill(1))
        const gather = isWide ? module.gather64 : module.gather32
        return (x, out) => {
          gather(x, from, scale, size, out)
          return true
        }
      }
      case 'hadamard': {
        const hadamard = isWide ? module.hadamard64 : module.hadamard32
        return (x) => {
          hadamard(x, size, step.block)
          return false
        }
      }
      case 'pairs': {
        const [re, im] = [step.re, step.im].map((part) => this.putFloats(part))
        const pairs = isWide ? module.pairs64 : module.pairs32
        return (x) => {
          pairs(x, size, step.head, re, im)
          return false
        }
      }
    }
  }
}

/** Maps the tile at `x`, working in `spare` as well; returns which of the two has the result. */
export type TileMap = (x: number, spare: number) => number
