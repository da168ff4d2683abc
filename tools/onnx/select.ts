import type { Tape, Value } from './tape.ts'

/** The first row of each of `examples` runs: `[examples * length, d]` -> `[examples, d]`. */
export function firstRows(t: Tape, x: Value, examples: number): Value {
  const [rows, width] = x.shape
  const length = rows / examples
  const runs = t.reshape(x, [examples, length, width])
  const first = t.op('Gather', [runs, t.constant(BigInt64Array.of(0n), [])], [examples, width], { axis: 1 })
  const marker = t.constant(
    Float32Array.from({ length }, (_, i) => (i === 0 ? 1 : 0)),
    [1, length, 1],
  )
  return t.derivative(first, (dy) => {
    const spread = t.op('Mul', [t.reshape(dy, [examples, 1, width]), marker], [examples, length, width])
    t.accumulate(x, t.reshape(spread, x.shape))
  })
}

/** Rows of x `[n, d]` by number, `[m]` integers, each at most once -> `[m, d]`. */
export function pickRows(t: Tape, x: Value, numbers: Value): Value {
  const [m] = numbers.shape
  const picked = t.op('Gather', [x, numbers], [m, x.shape[1]], { axis: 0 })
  return t.derivative(picked, (dy) => {
    const zero = t.map('Mul', x, t.scalar(0))
    t.accumulate(x, t.op('ScatterND', [zero, t.reshape(numbers, [m, 1]), dy], x.shape))
  })
}
