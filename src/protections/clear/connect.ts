/** From a whole model to one that runs on this device. */
import { continuesText } from '../../model/graph/graph-of.ts'
import { type Connection, type ConnectRequest, ProtectionError } from '../protection.ts'
import { ClearDecoder } from './decoder.ts'
import { ClearEncoder } from './encoder.ts'

/** Rejects with `ProtectionError` where a tensor is missing, and as the request's download does. */
export async function connectClear({ download }: ConnectRequest): Promise<Connection> {
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
}
