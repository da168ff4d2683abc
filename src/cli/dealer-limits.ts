/** What a dealer admits, as its command line says it; what is not said is left to the dealer. */
import type { DealerOptions } from '../protections/shared/dealer/dealer.ts'

export interface DealerLimitValues {
  readonly maxSessions?: number
  readonly maxSessionsPerAddress?: number
  readonly opensPerMinute?: number
  readonly rowsPerHour?: number
  readonly megabytesPerHour?: number
  readonly materialMegabytes?: number
  readonly materialMegabytesPerAddress?: number
  readonly materialMegabytesPerSession?: number
  readonly queuedDeals?: number
  readonly queuedDealsPerAddress?: number
}

const MEBIBYTE = 1 << 20
const MEGABYTE = 1e6

/** Of what is given, in the units that it has inside: bytes. */
const given = <T extends string>(
  limits: Record<T, readonly [value: number | undefined, unit?: number]>,
): Partial<Record<T, number>> =>
  Object.fromEntries(
    Object.entries<readonly [number | undefined, number?]>(limits).flatMap(([name, [value, unit = 1]]) =>
      value === undefined ? [] : [[name, unit * value]],
    ),
  ) as Partial<Record<T, number>>

export const dealerLimits = (
  values: DealerLimitValues,
): Pick<DealerOptions, 'scheduling' | 'material' | 'admission'> => ({
  scheduling: given({
    queuedDeals: [values.queuedDeals],
    queuedDealsPerPeer: [values.queuedDealsPerAddress],
  }),
  material: given({
    materialBytes: [values.materialMegabytes, MEBIBYTE],
    materialBytesPerPeer: [values.materialMegabytesPerAddress, MEBIBYTE],
    materialAheadBytes: [values.materialMegabytesPerSession, MEBIBYTE],
  }),
  admission: given({
    sessions: [values.maxSessions],
    sessionsPerPeer: [values.maxSessionsPerAddress],
    opensPerMinute: [values.opensPerMinute],
    rowsPerHour: [values.rowsPerHour],
    dealtBytesPerHour: [values.megabytesPerHour, MEGABYTE],
  }),
})
