/** How fast models have been on this device, as it measured itself. */
import type { ModelListing } from '../../owner/api.ts'
import { local } from './storage.ts'

const key = ({ hash }: Pick<ModelListing, 'hash'>): string => `sotto.pace.${hash}`

/** Tokens of a chat a second, or texts of a classifier; nothing while the model has not run here. */
export function paceOf(model: Pick<ModelListing, 'hash'>): number | undefined {
  const pace = Number(local.get(key(model)))
  return Number.isFinite(pace) && pace > 0 ? pace : undefined
}

/** Remembers the pace of the last request. */
export function rememberPace(model: Pick<ModelListing, 'hash'>, count: number, seconds: number): void {
  if (count > 0 && seconds > 0) local.set(key(model), (count / seconds).toPrecision(3))
}
