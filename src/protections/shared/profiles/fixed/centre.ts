/** Taking means off, so that LayerNorm is RMSNorm. */

/** Takes the mean off every row of length n, in place. */
export function centreRows(data: Float64Array, n: number): Float64Array {
  for (let r = 0; r < data.length; r += n) {
    let mean = 0
    for (let j = 0; j < n; j++) mean += data[r + j] / n
    for (let j = 0; j < n; j++) data[r + j] -= mean
  }
  return data
}

/** Takes the mean off every column of [rows x n], in place. */
export function centreColumns(data: Float64Array, n: number): Float64Array {
  const rows = data.length / n
  for (let j = 0; j < n; j++) {
    let mean = 0
    for (let r = 0; r < rows; r++) mean += data[r * n + j] / rows
    for (let r = 0; r < rows; r++) data[r * n + j] -= mean
  }
  return data
}
