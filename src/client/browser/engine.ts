/** Engines in a browser: each in a worker of its own, so that no product of matrices delays a key press. */
import { type OwnerApi, OwnerError, type PageConfig } from '../../owner/api.ts'
import { WorkerOwner } from '../../owner/worker-owner.ts'

// Kept in this form: bundlers find the worker's file by it.
const makeWorker = (): Worker =>
  new Worker(new URL('../../owner/worker.ts', import.meta.url), { type: 'module', name: 'sotto' })

/** A data owner's engine that talks to the given parties. */
export function makeOwner(config: PageConfig): OwnerApi {
  if (!globalThis.isSecureContext)
    throw new OwnerError(
      'crypto-missing',
      'This page was opened over plain http, where browsers offer no cryptography.',
      'Open it over https, or on this machine as localhost.',
    )
  return new WorkerOwner(makeWorker, async () => config)
}
