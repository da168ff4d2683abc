/** What a case of a bench reports. Later benches keep these names and meanings. */
export interface Costs {
  /** Sequential one-way messages, first and last included. */
  hops: number
  /** At the owner's socket to the server, what was sent ahead included. */
  ownerUpBytes: number
  ownerDownBytes: number
  /** What the owner downloads before a session's first input, without bundle and plan. */
  ownerOfflineDownBytes: number
  /** From dealer to server. */
  dealerBytes: number
  /** From the input to the result, everything offline done. */
  onlineSeconds: number
  /** Input-independent work of all parties, not overlapped with anything. */
  offlineSeconds: number
  /** One-off: starting the parties, registering the model, opening the session. */
  setupSeconds: number
  maxAbsError: number
  meanAbsError: number
  /** Peak resident memory of the owner's process. */
  peakOwnerBytes: number
}

/** A case with its costs, and further facts: the shape, the network, the scale of the weights. */
export interface Result extends Partial<Costs> {
  case: string
  [fact: string]: string | number | number[] | boolean | undefined
}

/** Whether a fact is a time of the case, not of the model in the clear. */
const isSeconds = (name: string): boolean => /Seconds(AtRtt\d+)?$/.test(name) && name !== 'cleartextSeconds'

/** Three significant digits for a person, with a unit. */
function human(name: string, value: Result[string]): string {
  if (typeof value !== 'number')
    return Array.isArray(value) ? value.map((v) => human('', v)).join(' to ') : String(value)
  if (name.endsWith('Bytes')) return bytes(value)
  if (isSeconds(name) || name === 'cleartextSeconds') return seconds(value)
  return Number.isInteger(value) ? value.toLocaleString('en') : String(Number(value.toPrecision(3)))
}

/** Decimal units, as network prices and the knowledge of the field have them. */
export function bytes(value: number): string {
  if (value >= 1e9) return `${(value / 1e9).toPrecision(3)} GB`
  if (value >= 1e6) return `${(value / 1e6).toPrecision(3)} MB`
  return value >= 1e4 ? `${(value / 1e3).toPrecision(3)} kB` : `${value} B`
}

export const seconds = (value: number): string =>
  value >= 1 ? `${value.toPrecision(3)} s` : `${(value * 1000).toPrecision(3)} ms`

export const times = (value: number): string => `${value >= 10 ? Math.round(value) : value.toPrecision(2)} x`

/** Prints a case: one JSON object on a line, or a small table. */
export function print(result: Result, json: boolean): void {
  if (json) {
    process.stdout.write(`${JSON.stringify(result)}\n`)
    return
  }
  const { cleartextSeconds } = result
  // What is a multiple of the model in the clear stands beside its seconds.
  const beside = (name: string, value: Result[string]): string =>
    isSeconds(name) && cleartextSeconds && typeof value === 'number'
      ? `  (${times(value / Number(cleartextSeconds))} cleartext)`
      : ''
  const entries = Object.entries(result).filter(
    ([name, value]) => name !== 'case' && value !== undefined && !name.endsWith('TimesCleartext'),
  )
  const width = Math.max(...entries.map(([name]) => name.length))
  const lines = entries.map(
    ([name, value]) => `  ${name.padEnd(width)}  ${human(name, value)}${beside(name, value)}`,
  )
  process.stdout.write(`\n${result.case}\n${lines.join('\n')}\n`)
}

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b)
  const half = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2
}
