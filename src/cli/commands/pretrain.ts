/** `sotto model pretrain`: a small BERT from scratch, on texts and word vectors that anyone may see. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pretrain } from '../../../tools/pretrain/pretrain.ts'
import { curveSvg } from '../../../tools/train/curve-svg.ts'
import { readCurve } from '../../../tools/train/loss-curve.ts'
import type { ModelConfig } from '../../model/architectures/config.ts'
import { numberOption, parse, required } from '../args.ts'

const help = `
sotto model pretrain: train a small encoder from scratch, as a public base for sotto model finetune

  sotto model pretrain --data texts.jsonl --data dialogues.jsonl.gz --vectors glove.txt
                       --lexicon afinn.tsv --out DIR --minutes 25

  --data FILE      JSON lines of {"text"} or {"turns": [{"role", "text"}]}, .gz or plain; repeat for more.
                   What is learned from it is public: nothing private may be in it
  --vectors FILE   word vectors in GloVe's text form, the commonest words first
  --lexicon FILE   words with a score of their tone, tab-separated, for example AFINN
  --out DIR        checkpoint, tokenizer, loss.csv and loss.svg go here
  --minutes N      train so long; the learning rate ends its cosine there
  --resume         go on from the checkpoint in --out
  --vocab N, --dim N, --layers N, --heads N, --ff N, --context N
                   the model's shape (16384, 128, 3, 4, 512, 128)
  --lr N           peak learning rate (0.001)
  --seed N         of initial weights and batches (1)
  --threads N      processor threads (2)
  --json           one JSON object per line instead of text
  --help           this text
`

export async function pretrainCommand(argv: string[]): Promise<void> {
  const text = { type: 'string' } as const
  const { values } = parse(argv, help, {
    data: { type: 'string', multiple: true },
    vectors: text,
    lexicon: text,
    out: text,
    minutes: text,
    resume: { type: 'boolean', default: false },
    vocab: { type: 'string', default: '16384' },
    dim: { type: 'string', default: '128' },
    layers: { type: 'string', default: '3' },
    heads: { type: 'string', default: '4' },
    ff: { type: 'string', default: '512' },
    context: { type: 'string', default: '128' },
    lr: { type: 'string', default: '0.001' },
    seed: { type: 'string', default: '1' },
    threads: { type: 'string', default: '2' },
    json: { type: 'boolean', default: false },
  })
  const whole = (name: 'vocab' | 'dim' | 'layers' | 'heads' | 'ff' | 'context' | 'threads'): number =>
    numberOption(name, values[name], { min: 1 })!
  const heads = whole('heads')
  const config: ModelConfig = {
    arch: 'bert',
    vocab: whole('vocab'),
    dim: whole('dim'),
    layers: whole('layers'),
    heads,
    kvHeads: heads,
    ff: whole('ff'),
    eps: 1e-6,
    context: whole('context'),
    activation: 'gelu',
    tied: true,
    types: 2,
    head: { kind: 'mlm' },
  }
  const out = required('out', values.out)
  required('data', values.data?.[0])
  const { state } = await pretrain({
    data: values.data!,
    vectors: required('vectors', values.vectors),
    lexicon: required('lexicon', values.lexicon),
    out,
    config,
    minutes: numberOption('minutes', required('minutes', values.minutes), { integer: false, min: 0.01 })!,
    peakLearningRate: numberOption('lr', values.lr, { integer: false, min: 1e-9, max: 1 }),
    seed: numberOption('seed', values.seed, {}),
    threads: whole('threads'),
    resume: values.resume,
    onProgress: (p) => {
      if (p.step > 1 && p.step % 50 !== 0) return
      const line = `step ${p.step}  loss ${p.loss.toFixed(3)}  sentence ${p.sentenceLoss.toFixed(3)}`
      const pace = `${Math.round(p.tokensPerSecond)} tokens/s  ${(p.elapsed / 60).toFixed(1)} min`
      process.stdout.write(`${values.json ? JSON.stringify(p) : `${line}  ${pace}`}\n`)
    },
  })
  writeFileSync(join(out, 'loss.svg'), curveSvg(readCurve(join(out, 'loss.csv'))))
  const summary = { out, steps: state.step, seconds: state.elapsed }
  process.stdout.write(`${values.json ? JSON.stringify(summary) : `Base written to ${out}`}\n`)
}
