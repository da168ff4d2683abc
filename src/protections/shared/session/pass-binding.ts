/** What binds all three parties to one pass: the dealer puts it before what it deals, the server expects it. */
import { fromHex } from '../../../handshake/encoding.ts'
import type { Shape } from '../shape.ts'
import { type ModelPlans, planHash } from './model-plan.ts'
import { encodeRequest } from './pass-messages.ts'

/** The shape as in a pass request (16 bytes), and the hash that the plans come from (32). */
export const BINDING_BYTES = 48

const hashes = new WeakMap<ModelPlans, Promise<string>>()

/** Base, rows, first serial, goal, row chunks and plans of a pass: material that is dealt for any other does not fit it. */
export async function passBinding(plans: ModelPlans, shape: Shape): Promise<Uint8Array> {
  let hash = hashes.get(plans)
  if (!hash) {
    hash = planHash(plans)
    hashes.set(plans, hash)
  }
  const out = new Uint8Array(BINDING_BYTES)
  const request = encodeRequest(shape)
  out.set(request)
  out.set(fromHex(await hash), request.length)
  return out
}
