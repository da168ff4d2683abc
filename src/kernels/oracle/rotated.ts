import { demand } from '../error.ts'
import {
  checkRotated,
  checkRotating,
  type RotatingRows,
  type RotationKernels,
  type RotationSpec,
} from '../rotated.ts'
import { oraclePacking } from './packing.ts'

class OracleRows implements RotatingRows {
  readonly spec: RotationSpec
  values: BigUint64Array | undefined

  constructor(values: BigUint64Array, spec: RotationSpec) {
    this.values = values
    this.spec = spec
  }

  free(): void {
    this.values = undefined
  }
}

/** Rotated tables, row by row. */
export const oracleRotated: RotationKernels = {
  keepRotating(rows, spec) {
    checkRotating(rows, spec)
    return new OracleRows(rows.slice(), spec)
  },
  packRotated(rows, masks, words, bits, out) {
    demand(rows instanceof OracleRows, 'other kernels keep the rows')
    const { spec, values } = rows
    demand(values !== undefined, 'the rows were freed')
    checkRotated(spec, masks, words, bits, out)
    const per = spec.entries * spec.words
    const turned = Array.from(masks, (mask) => {
      const place = mask % 2 ** spec.shift
      const cut = Math.floor(mask / 2 ** spec.shift) * spec.words
      const row = [...values.subarray(place * per, (place + 1) * per)]
      return [...row.slice(cut), ...row.slice(0, cut)]
    })
    out.set(oraclePacking.packDifference(BigUint64Array.from(turned.flat()), words, bits))
  },
}
