/**
 * Veiled against original, teacher-forced on real text: how often the likeliest token is the same, by group and by how
 * weights are stored. Activations are rounded to float32, as engines have them.
 *
 *   npx tsx tools/veil/agreement.ts --bundle models/sotto-demo --data dev.jsonl.gz --tokens 10000
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { Tokenizer } from '@huggingface/tokenizers'
import type { ModelConfig, Tensors } from '../../src/model/architectures/config.ts'
import { toHfConfig } from '../../src/model/architectures/hf-config.ts'
import { type Bundle, loadBundle } from '../../src/model/files/bundle-node.ts'
import {
  type Dtype,
  decodeValues,
  encodeSafetensors,
  encodeValues,
} from '../../src/model/files/safetensors.ts'
import { type FloatModel, floatModel } from '../../src/model/graph/decoder-model.ts'
import type { Group } from '../../src/protections/veiled/ends.ts'
import { OwnerEnds } from '../../src/protections/veiled/owner-ends.ts'
import { parseOwnerKey } from '../../src/protections/veiled/owner-key.ts'
import { calibrationSequence, readCalibrationTexts } from '../calibrate/texts.ts'
import { CheckpointFolder } from '../import/checkpoint-folder.ts'
import { veilModel } from './veil.ts'

/** One model that is compared with the original in float32. */
interface Variant {
  readonly name: string
  readonly model: FloatModel
  readonly ends?: OwnerEnds
}

/** What came of a comparison. */
export interface VeilAgreement {
  readonly variant: string
  readonly tokens: number
  /** Share of positions at which the likeliest token is the original's. */
  readonly top1: number
  readonly maxAbsError: number
}

/** Compares every group and type on texts as token ids. */
export async function veilAgreement(
  bundle: Bundle,
  texts: Iterable<number[]>,
  tokens: number,
  onProgress?: (done: number) => void,
): Promise<VeilAgreement[]> {
  const dir = mkdtempSync(join(tmpdir(), 'sotto-veil-agreement-'))
  try {
    const { config } = bundle.manifest
    const original = floatModel(config, bundle.tensors, undefined, 'float32')
    const variants = await variantsOf(bundle, dir)
    const sums = variants.map(() => ({ same: 0, largest: 0 }))
    let done = 0
    for (const text of texts) {
      const ids = text.slice(0, tokens - done)
      const want = logitsOf(original, ids, config)
      variants.forEach(({ model, ends }, i) => {
        const got = logitsOf(model, ends ? ends.veilIds(ids) : ids, config)
        for (const [t, row] of want.entries()) {
          const other = ends ? ends.unveilLogits(got[t]) : got[t]
          if (likeliest(other) === likeliest(row)) sums[i].same++
          row.forEach((value, j) => {
            sums[i].largest = Math.max(sums[i].largest, Math.abs(value - other[j]))
          })
        }
      })
      done += ids.length
      onProgress?.(done)
      if (done >= tokens) break
    }
    return variants.map(({ name }, i) => ({
      variant: name,
      tokens: done,
      top1: sums[i].same / done,
      maxAbsError: sums[i].largest,
    }))
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

async function variantsOf(bundle: Bundle, dir: string): Promise<Variant[]> {
  const { config } = bundle.manifest
  const from = join(dir, 'original')
  mkdirSync(from)
  writeFileSync(join(from, 'config.json'), JSON.stringify(toHfConfig(config)))
  writeFileSync(join(from, 'model.safetensors'), encodeSafetensors(bundle.tensors, 'F32'))
  const stored = (tensors: Tensors, type: Dtype, of: ModelConfig): FloatModel =>
    floatModel(of, roundedTo(tensors, type), undefined, 'float32')
  const variants: Variant[] = [{ name: 'original BF16', model: stored(bundle.tensors, 'BF16', config) }]
  for (const group of ['bits', 'full'] as const) {
    const { tensors, ends } = await veiled(from, dir, group)
    for (const type of ['F32', 'F16', 'BF16'] as const)
      variants.push({
        name: `${group} ${type}`,
        model: stored(tensors, type, { ...config, tied: false }),
        ends,
      })
  }
  return variants
}

async function veiled(
  from: string,
  dir: string,
  group: Group,
): Promise<{ tensors: Tensors; ends: OwnerEnds }> {
  const out = join(dir, group)
  const { ownerKey } = await veilModel({ from, out, keys: join(dir, 'keys'), group, tenant: group })
  const ends = new OwnerEnds(parseOwnerKey(readFileSync(ownerKey, 'utf8'), ownerKey))
  const folder = new CheckpointFolder(out)
  try {
    const copy = (name: string) => {
      const { shape, data } = folder.read(name)
      return { shape, data: data.slice() }
    }
    return { ends, tensors: new Map([...folder.tensors.keys()].map((name) => [name, copy(name)])) }
  } finally {
    folder.close()
  }
}

const roundedTo = (tensors: Tensors, type: Dtype): Tensors =>
  new Map(
    [...tensors].map(([name, { shape, data }]) => [
      name,
      { shape, data: decodeValues(encodeValues(data, type), type) },
    ]),
  )

function logitsOf(model: FloatModel, ids: number[], { vocab }: ModelConfig): Float64Array[] {
  model.rewind()
  const all = model.forward(ids, 'all')
  return ids.map((_, t) => all.subarray(t * vocab, (t + 1) * vocab))
}

const likeliest = (logits: Float64Array): number => logits.indexOf(Math.max(...logits))

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      bundle: { type: 'string' },
      data: { type: 'string' },
      tokens: { type: 'string', default: '10000' },
      json: { type: 'boolean' },
    },
  })
  if (!values.bundle || !values.data) throw new Error('Give --bundle DIR and --data FILE.')
  const bundle = await loadBundle(values.bundle)
  const tokenizer = new Tokenizer(bundle.tokenizer, {})
  const texts = readCalibrationTexts(values.data)
  function* sequences(): Generator<number[]> {
    for (const text of texts) {
      const ids = calibrationSequence(tokenizer, bundle.manifest, text)
      if (!Array.isArray(ids)) throw new Error('Decoders are compared; this is an encoder.')
      yield ids
    }
  }
  const say = (done: number): void => void process.stderr.write(`\r${done} of ${values.tokens} tokens`)
  const results = await veilAgreement(bundle, sequences(), Number(values.tokens), say)
  process.stderr.write('\n')
  for (const { variant, tokens, top1, maxAbsError } of results)
    process.stdout.write(
      values.json
        ? `${JSON.stringify({ variant, tokens, top1, maxAbsError })}\n`
        : `${variant.padEnd(14)} ${(100 * top1).toFixed(2)} % of ${tokens}, max |difference| ${maxAbsError.toExponential(1)}\n`,
    )
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main()
