/**
 * What published systems cost, measured on another machine with two cores (AMD EPYC): two processes on loopback, one
 * thread each, 16 fraction bits, trusted-first-party tuples. No dealer process: what one would have to send is not in
 * their bytes, and its work is inside their seconds.
 */

/** Seconds that BERT-base takes in the clear on that machine, in float32 on one thread. */
export const theirReference = 0.27

export interface PublishedStep {
  readonly name: string
  /** Both directions. */
  readonly bytes: number
  readonly rounds: number
}

/** One decoder step. */
export const steps: Record<'gpt2' | '15m', readonly PublishedStep[]> = {
  gpt2: [
    { name: 'CrypTen', bytes: 1.52e9, rounds: 2460 },
    { name: 'SHAFT', bytes: 1.54e9, rounds: 1392 },
    { name: 'SHAFT, public weights', bytes: 184e6, rounds: 1344 },
  ],
  '15m': [
    { name: 'CrypTen', bytes: 92e6, rounds: 1170 },
    { name: 'SHAFT', bytes: 95e6, rounds: 696 },
    { name: 'SHAFT, public weights', bytes: 20.6e6, rounds: 672 },
  ],
}

/** Twelve layers of BERT-base on 128 tokens, without pooler and head; bytes are those that *each* party sends. */
export const encoders: readonly (PublishedStep & { seconds: number; maxError?: number })[] = [
  { name: 'SPRINT', seconds: 35.4, bytes: 5.1e9, rounds: 2820, maxError: 0.127 },
  { name: 'SHAFT', seconds: 42.6, bytes: 5.4e9, rounds: 1440 },
  { name: 'CrypTen, public weights', seconds: 28.7, bytes: 3.8e9, rounds: 2184 },
]

/** What SPRINT's authors publish for RoBERTa-base, head included, on their own machines. */
export const sprintRoberta = { lanSeconds: 32, wanSeconds: 600 }

export interface PublishedOp {
  readonly name: string
  readonly seconds: number
  /** Sent by each party. */
  readonly bytes: number
  readonly rounds: number
  readonly maxError?: number
}

/** Single operations, by the first word of the case that measures ours. */
export const ops: Record<string, readonly PublishedOp[]> = {
  gelu: [
    { name: 'SHAFT', seconds: 0.331, bytes: 46e6, rounds: 19, maxError: 0.043 },
    { name: 'CrypTen', seconds: 0.254, bytes: 42e6, rounds: 26, maxError: 0.0016 },
    { name: 'SPRINT', seconds: 0.28, bytes: 49e6, rounds: 20, maxError: 0.0094 },
  ],
  softmax: [
    { name: 'SHAFT', seconds: 1.2, bytes: 192e6, rounds: 41, maxError: 0.076 },
    { name: 'CrypTen', seconds: 1.04, bytes: 146e6, rounds: 116, maxError: 0.0062 },
  ],
  layernorm: [
    { name: 'SHAFT', seconds: 0.075, bytes: 1.6e6, rounds: 25, maxError: 0.003 },
    { name: 'CrypTen', seconds: 0.053, bytes: 1.6e6, rounds: 19, maxError: 0.0054 },
    { name: 'SPRINT', seconds: 0.083, bytes: 1.6e6, rounds: 29, maxError: 0.0061 },
  ],
  'matmul, private weights': [
    { name: 'CrypTen', seconds: 0.338, bytes: 19.7e6, rounds: 1, maxError: 0.0012 },
  ],
  'matmul, public weights': [{ name: 'CrypTen, SHAFT', seconds: 0.065, bytes: 0, rounds: 0 }],
}
