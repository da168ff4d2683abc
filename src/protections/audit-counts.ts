/** What audits have found: all right so far, for a session ends with the first that is not. */
export interface AuditCounts {
  readonly audited: number
  /** All passes that were run, audited ones among them. */
  readonly passes: number
  /** Bytes that the third party has sent for audits alone. */
  readonly dealtBytes: number
}
