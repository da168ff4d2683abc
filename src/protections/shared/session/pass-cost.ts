/** What a pass that an owner asks for takes, by its plan. */
import { SessionError } from '../../../handshake/errors.ts'
import { type PassCost, planDealtBytes } from '../cost.ts'
import { rowChunksOf } from '../row-chunks.ts'
import { rowsOf, type Shape } from '../shape.ts'
import { HEAD_BYTES } from './material-stream.ts'
import type { ModelPlans } from './model-plan.ts'
import { decodeRequest, PassError, SerialGuard } from './pass-messages.ts'

/** Throws `PassError` where no such pass fits the model, whatever its serials. */
export function passCost(plans: ModelPlans, shape: Shape): PassCost {
  new SerialGuard(plans.config.context, plans.rowCounts).check(shape)
  const { plan } = plans.of(shape)
  const isAlarm = new Set(plan.alarms.map(({ value }) => value.step))
  const released = plan.steps.filter(({ id, out }) => out.kind === 'released' && !isAlarm.has(id))
  return {
    rows: released.reduce((sum, { out }) => sum + rowsOf(shape, out.layout), 0),
    bytes: HEAD_BYTES + planDealtBytes(rowChunksOf(shape), plan),
    rowsIn: shape.rows,
  }
}

/** Of a request as it came. Throws `SessionError` `malformed` where it is none, or one that cannot be dealt. */
export function requestCost(plans: ModelPlans, request: Uint8Array): PassCost {
  try {
    return passCost(plans, plans.shapeOf(decodeRequest(request)))
  } catch (error) {
    throw typedPassError(error)
  }
}

/** A `PassError` as the session is told of it; anything else as it is. */
export const typedPassError = (error: unknown): unknown =>
  error instanceof PassError ? new SessionError('malformed', error.message, { cause: error }) : error
