/** What evidence of an enclave proves, once it is believed. */

/** What evidence is held against besides the policy. */
export interface Demand {
  /** What the owner drew and sent, {@link NONCE_BYTES} bytes: evidence that has it is fresh. */
  readonly nonce: Uint8Array
  /** The time at which dates are judged. */
  readonly at: Date
}

export const NONCE_BYTES = 32

export interface Attested {
  readonly platform: 'aws-nitro' | 'amd-sev-snp' | 'simulator'
  /** Whether hardware vouches for it. A simulator's word is nobody's: say "not attested". */
  readonly isAttested: boolean
  /** The key to encrypt to. */
  readonly channelKey: Uint8Array
  /** What runs there, by the platform's names of measurements; hexadecimal. */
  readonly measurements: Readonly<Record<string, string>>
  /** The machine, as the platform names it. */
  readonly machine: string
  /** When the evidence was made, where it says so. */
  readonly issued?: Date
}
