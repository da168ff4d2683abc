/**
 * No protection: the float reference, run on this device by someone who has the whole model. Labelled as such wherever it
 * is chosen. No server lists a model under it, so a page, which takes what servers list, does not offer it.
 */
import type { Protection } from '../protection.ts'
import { notice } from './notice.ts'

/** For a model's owner, who compares. */
export const clear: Protection = {
  id: 'clear',
  notice,
  needsServer: false,
  needsDealer: false,
  connect: async (request) => (await import('./connect.ts')).connectClear(request),
}
