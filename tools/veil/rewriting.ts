/** One matrix to be rewritten. */
import type { LinearMap } from '../../src/protections/veiled/linear-map.ts'
import type { ReadBytes, WriteBytes } from './rows.ts'
import type { WordType } from './words.ts'

/** A matrix and what becomes of it: X to rows^T X columns. */
export interface Rewriting {
  readonly type: WordType
  /** Of what it acts on: as many as there are rows. */
  readonly rows: LinearMap
  readonly columns: LinearMap
  readonly read: ReadBytes
  readonly write: WriteBytes
}
