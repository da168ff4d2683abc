/**
 * Private inference against the float model, teacher-forced: all three parties in this process with real shares, every
 * row's hidden state put together again, which only a holder of both sides can do.
 *
 *   npx tsx tools/evaluate/agreement.ts --bundle models/sotto-demo --data dev.jsonl.gz --tokens 2000 --json
 */

import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { Tokenizer } from '@huggingface/tokenizers'
import { widened } from '../../src/kernels/lanes.ts'
import { createNodeKernels } from '../../src/kernels/node/kernels.ts'
import { Ends } from '../../src/model/ends.ts'
import { type Bundle, loadBundle } from '../../src/model/files/bundle-node.ts'
import { floatModel } from '../../src/model/graph/decoder-model.ts'
import { LocalParties } from '../../src/protections/shared/local/local-parties.ts'
import { modelPlans } from '../../src/protections/shared/session/model-plan.ts'
import { calibrationSequence, readCalibrationTexts } from '../calibrate/texts.ts'

export interface TokenAgreementOptions {
  /** Predicted tokens to compare. */
  readonly tokens: number
  /** Rows of one pass; 1 is decoding. */
  readonly rows?: number
  /** Also run the oracle, which counts values out of range and checks the released ones bit for bit. */
  readonly oracle?: boolean
  readonly onProgress?: (done: number) => void
}

export interface TokenAgreement {
  readonly tokens: number
  /** Share of positions at which the likeliest token is the same. */
  readonly top1: number
  readonly privatePerplexity: number
  readonly floatPerplexity: number
  /** Private over float perplexity, less one. */
  readonly perplexityChange: number
  readonly meanAbsError: number
  readonly maxAbsError: number
  /** Values out of their range, and released values that differ from the oracle's; absent without it. */
  readonly violations?: number
  readonly mismatches?: number
}

/** Compares a decoder's passes over texts as token ids, none longer than the model's context. */
export async function agreement(
  { manifest, tensors }: Bundle,
  texts: Iterable<number[]>,
  o: TokenAgreementOptions,
): Promise<TokenAgreement> {
  const { config } = manifest
  const plans = modelPlans(manifest)
  const { model } = plans
  const ends = new Ends(config, tensors, plans)
  const rows = o.rows ?? 64
  const parties = new LocalParties(model, tensors, {
    kernels: createNodeKernels(),
    compile: { everyRow: true, goal: rows >= 8 ? 'bytes' : 'hops' },
  })
  const float = floatModel(config, tensors)
  const sums = { tokens: 0, same: 0, privateNats: 0, floatNats: 0, error: 0, largest: 0 }
  let violations = 0
  let mismatches = 0
  for (const ids of texts) {
    float.rewind(0)
    for (let base = 0; base < ids.length - 1 && sums.tokens < o.tokens; ) {
      const part = ids.slice(base, Math.min(base + rows, ids.length - 1, base + o.tokens - sums.tokens))
      const trace = await parties.pass(base, ends.embed(part, base))
      if (o.oracle) {
        const checked = parties.oracle(trace)
        violations += checked.violations.length
        const released = trace.plan.steps[trace.plan.steps.length - 1].out
        const own = widened(trace.owner.get(released))
        widened(checked.pass.get(released)).forEach((v, i) => {
          if (v !== own[i]) mismatches++
        })
      }
      const wanted = Float32Array.from(float.forward(part, 'all'))
      const width = trace.released.length / part.length
      part.forEach((_, r) => {
        const got = ends.logits(trace.released.subarray(r * width, (r + 1) * width))
        compare(got, wanted.subarray(r * config.vocab, (r + 1) * config.vocab), ids[base + r + 1], sums)
      })
      base += part.length
      o.onProgress?.(sums.tokens)
    }
    if (sums.tokens >= o.tokens) break
  }
  const { tokens } = sums
  const privatePerplexity = Math.exp(sums.privateNats / tokens)
  const floatPerplexity = Math.exp(sums.floatNats / tokens)
  return {
    tokens,
    top1: sums.same / tokens,
    privatePerplexity,
    floatPerplexity,
    perplexityChange: privatePerplexity / floatPerplexity - 1,
    meanAbsError: sums.error / (tokens * config.vocab),
    maxAbsError: sums.largest,
    ...(o.oracle ? { violations, mismatches } : {}),
  }
}

function compare(
  got: Float32Array,
  want: Float32Array,
  next: number,
  sums: {
    tokens: number
    same: number
    privateNats: number
    floatNats: number
    error: number
    largest: number
  },
): void {
  sums.tokens++
  if (likeliest(got) === likeliest(want)) sums.same++
  sums.privateNats += nats(got, next)
  sums.floatNats += nats(want, next)
  got.forEach((v, i) => {
    const error = Math.abs(v - want[i])
    sums.error += error
    sums.largest = Math.max(sums.largest, error)
  })
}

const likeliest = (logits: Float32Array): number => logits.indexOf(Math.max(...logits))

function nats(logits: Float32Array, id: number): number {
  const most = Math.max(...logits)
  let sum = 0
  for (const v of logits) sum += Math.exp(v - most)
  return Math.log(sum) + most - logits[id]
}

const help = `agreement: private inference against the float model, teacher-forced

  --bundle DIR   a model bundle with its private tensors
  --data FILE    held-out text: dialogues or texts as JSON lines, or plain text
  --tokens N     predicted tokens to compare (2000)
  --rows N       rows of one pass (64); 1 is decoding
  --no-oracle    do not count violations and mismatches, in half the time
  --json         print one JSON object
`

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      bundle: { type: 'string' },
      data: { type: 'string' },
      tokens: { type: 'string', default: '2000' },
      rows: { type: 'string', default: '64' },
      'no-oracle': { type: 'boolean' },
      json: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  })
  if (values.help || !values.bundle || !values.data) {
    process.stdout.write(help)
    process.exitCode = values.help ? 0 : 2
    return
  }
  const [tokens, rows] = [Number(values.tokens), Number(values.rows)]
  const onProgress = (done: number): void => void process.stderr.write(`\r${done} of ${tokens} tokens`)
  const options = { tokens, rows, oracle: !values['no-oracle'], onProgress }
  const bundle = await loadBundle(values.bundle)
  const tokenizer = new Tokenizer(bundle.tokenizer, {})
  const texts = readCalibrationTexts(values.data)
  function* sequences(): Generator<number[]> {
    for (const text of texts) {
      const ids = calibrationSequence(tokenizer, bundle.manifest, text)
      if (!Array.isArray(ids)) throw new Error('agreement compares decoders; this is an encoder.')
      yield ids
    }
  }
  const result = await agreement(bundle, sequences(), options)
  process.stderr.write('\n')
  const lines = Object.entries(result).map(([name, value]) => `${name.padEnd(18)} ${value}`)
  process.stdout.write(values.json ? `${JSON.stringify(result)}\n` : `${lines.join('\n')}\n`)
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main()
