/**
 * One text through an encoder, with the data owner in Chromium: `npx tsx bench/encode-page.ts [--shape bert-tiny] [--json]`.
 * The shapes of `sotto bench encode` with random weights, and a head of two labels, because that is what the page shows.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Tokenizer } from '@huggingface/tokenizers'
import { ended, sotto } from '../e2e/support/demo.ts'
import { desktop, launch } from '../e2e/support/page.ts'
import type { ModelConfig } from '../src/model/architectures/config.ts'
import { writeBundle } from '../src/model/files/bundle-node.ts'
import { benchConfigs, PredictableRandom, randomModel } from '../src/model/random.ts'
import { encodeForEncoder } from '../src/model/tokenizer/encode-text.ts'
import { calibrated } from '../src/protections/shared/profiles/calibrated.ts'
import { wordPieceJson, wordPieceVocabulary } from '../tools/train/wordpiece.ts'
import { besideCleartext } from './cleartext.ts'
import { median, print, type Result } from './result.ts'
import { encoderShapes, SEED } from './shapes.ts'

const TOKENS = 128
const VOCABULARY = 512
const WAIT_MS = 600_000

type Shape = (typeof encoderShapes)[number]

/** Words of two letters, each a token of its own. */
const words = Array.from({ length: 400 }, (_, i) =>
  String.fromCharCode(97 + (i % 26), 97 + Math.floor(i / 26)),
)

/** Writes a calibrated bundle of the shape; resolves with a text of exactly `TOKENS` tokens. */
async function writeModel(folder: string, shape: Shape): Promise<string> {
  const config: ModelConfig = {
    ...benchConfigs[shape],
    vocab: VOCABULARY,
    context: TOKENS,
    head: { kind: 'classify', labels: ['first', 'second'] },
  }
  const vocabulary = wordPieceVocabulary([words.join(' ')], { size: VOCABULARY, suffixes: 0 })
  const tokenizer = wordPieceJson(vocabulary)
  const random = new PredictableRandom(SEED)
  const text = Array.from({ length: TOKENS - 2 }, () => words[random.below(words.length)]).join(' ')
  const encoded = encodeForEncoder(new Tokenizer(tokenizer, {}), config, TOKENS, text)
  if (encoded.ids.length !== TOKENS)
    throw new Error(`The text has ${encoded.ids.length} tokens, not ${TOKENS}.`)
  const tensors = randomModel(config, SEED)
  await writeBundle(join(folder, shape), {
    name: shape,
    description: 'Random weights, for benchmarks.',
    license: 'CC0-1.0',
    source: 'none',
    config,
    profile: await calibrated(config, tensors, [encoded]),
    tokenizer,
    tensors,
  })
  return text
}

async function measure(shape: Shape, repeat: number): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'sotto-bench-'))
  const text = await writeModel(folder, shape)
  const demo = await sotto('demo', '--port', '0', '--models', folder)
  const browser = await launch('--enable-unsafe-webgpu')
  try {
    const runs: { connect: number; total: number }[] = []
    for (let i = 0; i < repeat; i++) {
      const context = await browser.newContext(desktop)
      const page = await context.newPage()
      page.setDefaultTimeout(WAIT_MS)
      const opened = performance.now()
      await page.goto(`${demo.url}?model=${shape}`)
      await page.getByText('Ready to classify').waitFor()
      const connect = (performance.now() - opened) / 1000
      await page.getByLabel('Text', { exact: true }).fill(text)
      const started = performance.now()
      await page.getByRole('button', { name: 'Classify' }).click()
      await page.getByRole('region', { name: 'Result' }).waitFor()
      runs.push({ connect, total: (performance.now() - started) / 1000 })
      await context.close()
    }
    const of = (name: 'connect' | 'total') => median(runs.map((run) => run[name]))
    return {
      case: `encode ${shape} in Chromium`,
      tokens: TOKENS,
      connectSeconds: of('connect'),
      // Nothing was made ahead: offline work of all parties is in it.
      totalSeconds: of('total'),
      repeat,
    }
  } finally {
    await browser.close()
    demo.process.kill('SIGTERM')
    await ended(demo.process)
    rmSync(folder, { recursive: true })
  }
}

const { values } = parseArgs({
  options: {
    shape: { type: 'string', default: 'bert-tiny' },
    repeat: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
  },
})
const shape = encoderShapes.find((name) => name === values.shape)
if (!shape) throw new Error(`--shape is one of ${encoderShapes.join(', ')}.`)
print(await besideCleartext(() => measure(shape, Number(values.repeat))), values.json)
