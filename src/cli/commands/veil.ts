/** `sotto model veil`: a checkpoint that an ordinary engine serves, disguised by secret keys. */
import { existsSync } from 'node:fs'
import { Option } from '@commander-js/extra-typings'
import { type VeilReport, veilModel } from '../../../tools/veil/veil.ts'
import { command, type ValuesOf } from '../command.ts'
import { UsageError } from '../errors.ts'
import { printResult, status } from '../terminal.ts'
import { tenantName } from '../values.ts'

const declared = command('veil', 'Disguise a model for a cloud that is not to read what it is asked.')
  .argument('<model>', 'folder with config.json and safetensors, or a whole bundle')
  .requiredOption('--out <dir>', 'folder for the cloud, of the same architecture; it must not exist')
  .requiredOption('--keys <dir>', 'folder of key files, which stays with you')
  .addOption(
    new Option(
      '--group <name>',
      'bits: permutations, signs and powers of two, which lose not a bit of F16 but of subnormals; full: rotations and factors as well',
    )
      .choices(['bits', 'full'] as const)
      .default('bits' as const),
  )
  .option(
    '--tenant <name>',
    'whom the key is for; each tenant needs a run, and a cloud folder, of its own',
    tenantName,
    'default',
  )
  .option('--key <id>', 'a key of --keys, by the beginning of its id, in place of a new one')
  .option('--rows', 'owners get the basis of embedded rows, too, for engines that take those', false)
  .option('--gguf', 'a GGUF file for llama.cpp as well; LLaMA, Mistral, Mixtral and GPT-2', false)
  .option('--json', 'print one JSON object', false)
  .addHelpText(
    'after',
    `
Disguised, not encrypted: for models whose weights nobody else has. Never for open weights or their fine-tunes, with which
all text is read back; see docs/veiled.md. Whoever holds an owner's key can read every text under it: one tenant, one key.
A second run with the same --keys makes a new key; the old one stays in force as long as its cloud folder is served.
GPT-2, LLaMA, Mistral, Qwen2, Qwen3, Mixtral, BERT, RoBERTa, ViT and LLaVA.`,
  )

export const veilCommand = declared.action(veil)

async function veil(from: string, values: ValuesOf<typeof declared>): Promise<void> {
  const { out, keys, group, tenant, key, rows, gguf } = values
  if (existsSync(out))
    throw new UsageError(`${out} exists already. Choose another --out, or remove it first.`)
  const report = await veilModel({
    ...{ from, out, keys, group, tenant, withRows: rows, gguf },
    ...(key === undefined ? {} : { key }),
    onProgress: (done, total) => {
      if (!values.json) status(`Veiling: ${Math.floor((100 * done) / total)} %`)
    },
  })
  if (!values.json) status('')
  printResult(values.json, report, asText(report, out, keys))
}

const asText = (r: VeilReport, out: string, keys: string): string =>
  `${r.family}, ${r.tensors} tensors, ${(r.bytes / 1e6).toFixed(1)} MB, group ${r.group}, key ${r.keyId.slice(0, 8)}\n` +
  `  ${(r.bytes / 1e6 / r.seconds).toFixed(0)} MB/s, ${(r.bytes / 1e6 / r.cpuSeconds).toFixed(0)} MB per second of processor time\n` +
  (r.rounded > 0 ? `  ${r.rounded} values lost bits: they are subnormal\n` : '') +
  (r.isUntied ? '  The head was the embedding, and has a matrix of its own now.\n' : '') +
  `For the cloud:       ${out}${r.ggufBytes ? ` with model.gguf, ${(r.ggufBytes / 1e6).toFixed(1)} MB` : ''}\nFor data owners:     ${r.ownerKey}\n${r.kit ? `  in a page:         ${r.kit}\n` : ''}Stays with you:      ${keys}\n` +
  'Disguised, not encrypted: docs/veiled.md says against whom.\n'
