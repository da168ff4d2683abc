import { LinkError } from './errors.ts'

/** Rejects with code `timeout`; a value that comes too late is handed to `discard`. */
export function withTimeout<T>(promise: Promise<T>, ms: number, discard?: (late: T) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    let expired = false
    const timer = setTimeout(() => {
      expired = true
      reject(new LinkError('timeout', `No connection within ${Math.round(ms / 1000)} s.`))
    }, ms)
    promise.then(
      (value) => {
        clearTimeout(timer)
        if (expired) discard?.(value)
        else resolve(value)
      },
      (error) => {
        clearTimeout(timer)
        reject(error)
      },
    )
  })
}
