/** What data owners make token ids with: the tokenizer's files, and how texts and turns become ids. */
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { type HfConfig, HfReader } from '../../src/model/architectures/hf-reader.ts'
import { parseManifest } from '../../src/model/files/manifest.ts'
import { TEXTS_FORMAT, type VeiledTexts } from '../../src/protections/veiled/kit.ts'
import { TEXTS_FILE } from '../../src/protections/veiled/node/kits.ts'
import { textFormat } from '../import/chat-format.ts'
import { readJson } from '../import/source.ts'
import type { TokenizerJson } from '../import/tokenizer-json.ts'

/** Nothing of it goes to the cloud, which has no use for it. */
const textFiles = [
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'chat_template.jinja',
  'preprocessor_config.json',
]

/** Copies what a folder has of these, and says how its texts become ids where it has a tokenizer. */
export function writeTexts(from: string, to: string, config: HfConfig): void {
  for (const file of textFiles)
    if (existsSync(join(from, file))) {
      mkdirSync(to, { recursive: true })
      copyFileSync(join(from, file), join(to, file))
    }
  if (!existsSync(join(from, 'tokenizer.json'))) return
  writeFileSync(join(to, TEXTS_FILE), `${JSON.stringify(textsOf(from, config), null, 1)}\n`)
}

/** Sizes of a text model's configuration, whatever its family calls them. */
function textsOf(from: string, config: HfConfig): VeiledTexts {
  const text = (config.text_config as HfConfig | undefined) ?? config
  const read = new HfReader(text, join(from, 'config.json'))
  const readsWhole = /bert/.test(String(text.model_type))
  const offset = /roberta|camembert/.test(String(text.model_type)) ? read.number('pad_token_id', 1) + 1 : 0
  const positions = read.size(text.model_type === 'gpt2' ? 'n_positions' : 'max_position_embeddings', 2048)
  return {
    format: TEXTS_FORMAT,
    continuesText: !readsWhole,
    context: positions - offset,
    ...(readsWhole ? { types: read.size('type_vocab_size', 2) } : {}),
    ...formatOf(from, readsWhole),
    ...outputsOf(config),
  }
}

/** As Hugging Face's files tell how labels go together; a bundle's do as well. */
function outputsOf({ problem_type: kind }: HfConfig): Pick<VeiledTexts, 'outputs'> {
  if (kind === 'multi_label_classification') return { outputs: 'sigmoid' }
  return kind === 'regression' ? { outputs: 'raw' } : {}
}

/** A bundle says itself how its texts are laid out; of other folders it is found out. */
function formatOf(
  from: string,
  readsWhole: boolean,
): Pick<VeiledTexts, 'name' | 'pairs' | 'outputs' | 'chat' | 'text'> {
  const name = basename(resolve(from))
  if (existsSync(join(from, 'manifest.json'))) {
    const { chat, text, config } = parseManifest(readFileSync(join(from, 'manifest.json'), 'utf8'))
    const { head } = config
    const { pairs, outputs } = head?.kind === 'classify' ? head : {}
    return { name, chat, text, pairs, outputs }
  }
  if (readsWhole) return { name }
  const { chat, text } = textFormat(from, readJson(join(from, 'tokenizer.json')) as TokenizerJson)
  return { name, chat, text }
}
