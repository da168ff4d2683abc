/** `sotto model pretrain`: a small BERT from scratch, on texts and word vectors that anyone may see. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pretrain } from '../../../tools/pretrain/pretrain.ts'
import { curveSvg } from '../../../tools/train/curve-svg.ts'
import { readCurve } from '../../../tools/train/loss-curve.ts'
import type { ModelConfig } from '../../model/architectures/config.ts'
import { command, type ValuesOf } from '../command.ts'
import { printResult } from '../terminal.ts'
import { real, repeated, text, whole } from '../values.ts'

const declared = command(
  'pretrain',
  'Train a small encoder from scratch, as a public base for sotto model finetune.',
)
  .requiredOption(
    '--data <file>',
    'JSON lines of {"text"} or {"turns": [{"role", "text"}]}, .gz or plain; repeat for more. What is learned from it is public: nothing private may be in it',
    repeated(text),
  )
  .requiredOption('--vectors <file>', "word vectors in GloVe's text form, the commonest words first")
  .requiredOption('--lexicon <file>', 'words with a score of their tone, tab-separated, for example AFINN')
  .requiredOption('--out <dir>', 'checkpoint, tokenizer, loss.csv and loss.svg go here')
  .requiredOption('--minutes <n>', 'train so long; the learning rate ends its cosine there', real(0.01))
  .option('--resume', 'go on from the checkpoint in --out', false)
  .option('--lr <n>', 'peak learning rate', real(1e-9, 1), 0.001)
  .option('--seed <n>', 'of initial weights and batches', whole(), 1)
  .option('--threads <n>', 'processor threads', whole(1), 2)
  .option('--json', 'one JSON object per line instead of text', false)
  .optionsGroup("The model's shape:")
  .option('--vocab <n>', 'tokens', whole(1), 16384)
  .option('--dim <n>', 'width of a hidden state', whole(1), 128)
  .option('--layers <n>', 'layers', whole(1), 3)
  .option('--heads <n>', 'attention heads of a layer', whole(1), 4)
  .option('--ff <n>', 'width inside the feed-forward layers', whole(1), 512)
  .option('--context <n>', 'longest text, in tokens', whole(1), 128)

export const pretrainCommand = declared.action(pretrainBase)

async function pretrainBase(values: ValuesOf<typeof declared>): Promise<void> {
  const { vocab, dim, layers, heads, ff, context, out } = values
  const config: ModelConfig = {
    arch: 'bert',
    vocab,
    dim,
    layers,
    heads,
    kvHeads: heads,
    ff,
    eps: 1e-6,
    context,
    activation: 'gelu',
    tied: true,
    types: 2,
    head: { kind: 'mlm' },
  }
  const { state } = await pretrain({
    data: values.data,
    vectors: values.vectors,
    lexicon: values.lexicon,
    out,
    config,
    minutes: values.minutes,
    peakLearningRate: values.lr,
    seed: values.seed,
    threads: values.threads,
    resume: values.resume,
    onProgress: (p) => {
      if (p.step > 1 && p.step % 50 !== 0) return
      const line = `step ${p.step}  loss ${p.loss.toFixed(3)}  sentence ${p.sentenceLoss.toFixed(3)}`
      const pace = `${Math.round(p.tokensPerSecond)} tokens/s  ${(p.elapsed / 60).toFixed(1)} min`
      printResult(values.json, p, `${line}  ${pace}\n`)
    },
  })
  writeFileSync(join(out, 'loss.svg'), curveSvg(readCurve(join(out, 'loss.csv'))))
  const summary = { out, steps: state.step, seconds: state.elapsed }
  printResult(values.json, summary, `Base written to ${out}\n`)
}
