/** Why evidence of an enclave is not believed. */

const advice = {
  'bad-policy': 'Correct the policy file; docs/enclave.md has examples.',
  malformed: 'The other side does not send evidence that can be read. Check its address and release.',
  'other-platform': 'The policy is for enclaves of another kind. Check address and policy.',
  'untrusted-root': 'Do not send anything: nobody whom you trust vouches for this enclave.',
  'bad-chain': 'Do not send anything: certificates do not vouch for each other.',
  expired: 'Check your clock. If it is right, the enclave shows old papers: do not send anything.',
  'bad-signature': 'Do not send anything: the evidence was altered or is forged.',
  debug: 'Do not send anything: whoever runs this enclave can look into it.',
  'wrong-measurement':
    'Other software runs there than you allow. If it was updated, allow its new measurement.',
  'old-firmware': 'The machine lacks updates of its firmware. Ask who runs it to install them.',
  'wrong-chip': 'The evidence is of another machine than those that you allow.',
  stale: 'Ask for fresh evidence.',
  'wrong-nonce': 'Do not send anything: the evidence was made for somebody else, or replayed.',
  'wrong-key': 'Do not send anything: the key is not the one that the enclave vouches for.',
  simulated: 'It is for trying things out. Whoever runs it reads everything.',
} as const satisfies Record<string, string>

/** What is wrong, for programs. */
export type AttestationErrorCode = keyof typeof advice

/** Evidence, or the policy that it is held against, is refused. `message` says what is wrong, `advice` what to do. */
export class AttestationError extends Error {
  override readonly name = 'AttestationError'
  readonly code: AttestationErrorCode
  readonly advice: string

  constructor(code: AttestationErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.advice = advice[code]
  }
}
