/** A kernel refused its arguments, could not run, or gave a wrong answer in its start-up test. */
export class KernelError extends Error {
  override readonly name = 'KernelError'
}

/** @throws KernelError unless `condition` holds: argument checks read as one line each. */
export function demand(condition: boolean, message: string): asserts condition {
  if (!condition) throw new KernelError(message)
}
