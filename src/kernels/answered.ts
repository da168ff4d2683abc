import { KernelError } from './error.ts'

/** A GPU that works answers each call within this; some drivers never do. */
export const GPU_PATIENCE_MS = 5000

/**
 * What a call resolves with, or `KernelError` where it has not after `patience` milliseconds: `navigator.gpu` may keep a
 * page waiting forever. `late` is given an answer that came after all.
 */
export async function answered<T>(
  call: Promise<T>,
  what: string,
  patience: number,
  late: (value: T) => void = () => undefined,
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  let isLate = false
  const over = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      isLate = true
      reject(new KernelError(`${what} did not answer within ${patience / 1000} s`))
    }, patience)
  })
  call.then(
    (value) => isLate && late(value),
    () => undefined,
  )
  try {
    return await Promise.race([call, over])
  } finally {
    clearTimeout(timer)
  }
}
