/**
 * No protection: the float reference, run on this device by someone who has the whole model. Labelled as such wherever it
 * is chosen. No server lists a model under it, so a page, which takes what servers list, does not offer it.
 */
import { continuesText } from '../../model/graph/graph-of.ts'
import { type ConnectRequest, type Protection, ProtectionError } from '../protection.ts'
import { ClearDecoder } from './decoder.ts'
import { ClearEncoder } from './encoder.ts'
import { notice } from './notice.ts'

/** For a model's owner, who compares. */
export const clear: Protection = {
  id: 'clear',
  notice,
  needsServer: false,
  needsDealer: false,
  async connect({ download }: ConnectRequest) {
    const model = await download()
    const { manifest, tensors } = model
    const missing = manifest.tensors.find(({ name }) => !tensors.has(name))
    if (missing)
      throw new ProtectionError(
        'whole-model-needed',
        `Without protection the whole model is needed, and ${missing.name} is not here.`,
        'Give the folder of a whole bundle, or choose another protection.',
      )
    return !continuesText(manifest.config) ? new ClearEncoder(model) : new ClearDecoder(model)
  },
}
