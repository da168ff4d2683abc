/** Folders of Sentence Transformers: `modules.json` says what becomes of a text's hidden states. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import type { Manifest } from '../../src/model/files/manifest.ts'
import { ImportError } from './error.ts'
import { readJson } from './source.ts'

/** What such a folder says. */
export interface SentenceModel {
  /** Folder of the transformer itself: its configuration, weights and tokenizer. */
  readonly transformer: string
  readonly pooling: NonNullable<Manifest['pooling']>
  /** Tokens of a text that are read at most; the rest is left out. */
  readonly maxTokens?: number
  readonly notes: readonly string[]
}

const modulesSchema = v.pipe(
  v.array(v.object({ type: v.string(), path: v.pipe(v.string(), v.regex(/^[\w.-]*\/?$/)) })),
  v.minLength(1),
)

/** Its name behind whatever package it is of. */
const kindOf = ({ type }: { type: string }): string => type.split('.').at(-1) ?? type

/** What a folder's modules make of it; nothing where it is a plain encoder's. Throws {@link ImportError}. */
export function sentenceModel(dir: string): SentenceModel | undefined {
  const file = join(dir, 'modules.json')
  if (!existsSync(file)) return undefined
  const parsed = v.safeParse(modulesSchema, Object.values(readJson(file)))
  if (!parsed.success || parsed.output.some(({ path }) => path.startsWith('.')))
    throw new ImportError('bad-file', `${file} is no list of modules, each with a type and a path.`, { file })
  const modules = parsed.output
  const [transformer, pooling, ...rest] = modules.map(kindOf)
  const refuse = (what: string): never => {
    throw new ImportError(
      'unsupported',
      `${file}: ${what}. Supported is a Transformer, then Pooling (mean or CLS), then perhaps Normalize.`,
      { file },
    )
  }
  if (transformer !== 'Transformer') refuse(`the first module is "${transformer}"`)
  if (pooling !== 'Pooling') refuse(pooling ? `the second module is "${pooling}"` : 'there is no Pooling')
  const other = rest.find((kind) => kind !== 'Normalize')
  if (other) refuse(`the module "${other}" is not supported`)
  const folder = join(dir, modules[0].path)
  const { prompt, notes } = promptOf(dir)
  return {
    transformer: folder,
    pooling: {
      kind: poolingOf(join(dir, modules[1].path, 'config.json'), prompt !== undefined),
      normalize: rest.includes('Normalize'),
      ...(prompt ? { prompt } : {}),
    },
    maxTokens: longestText(folder),
    notes,
  }
}

/** Flags of other kinds of pooling than the mean's and the first token's. */
const FLAG = /^pooling_mode_(.*?)(_tokens?)?$/

function poolingOf(file: string, hasPrompt: boolean): 'mean' | 'cls' {
  const json = readJson(file)
  const flagged = Object.entries(json)
    .filter(([key, value]) => FLAG.test(key) && value === true)
    .map(([key]) => FLAG.exec(key)![1])
  const kinds = flagged.length > 0 ? flagged : [json.pooling_mode ?? 'mean'].flat().map(String)
  if (hasPrompt && json.include_prompt === false)
    throw new ImportError('unsupported', `${file}: pooling without the prompt is not supported.`, { file })
  const [kind] = kinds
  if (kinds.length === 1 && (kind === 'mean' || kind === 'cls')) return kind
  throw new ImportError(
    'unsupported',
    `${file}: pooling of kind "${kinds.join('" and "')}" is not supported; "mean" and "cls" are.`,
    { file },
  )
}

/** What is put before every text, and what a person might want to put before some. */
function promptOf(dir: string): { prompt?: string; notes: string[] } {
  const file = join(dir, 'config_sentence_transformers.json')
  if (!existsSync(file)) return { notes: [] }
  const { prompts, default_prompt_name: name } = readJson(file)
  const known = v.safeParse(v.record(v.string(), v.string()), prompts ?? {})
  if (!known.success) throw new ImportError('bad-file', `${file}: "prompts" is no list of texts.`, { file })
  if (typeof name === 'string') {
    const prompt = known.output[name]
    if (prompt === undefined)
      throw new ImportError('bad-file', `${file}: there is no prompt "${name}".`, { file })
    return { prompt, notes: prompt === '' ? [] : [`Every text is read behind ${JSON.stringify(prompt)}.`] }
  }
  const spoken = Object.entries(known.output)
    .filter(([, text]) => text !== '')
    .map(([key, text]) => `${JSON.stringify(text)} for ${key}`)
  return {
    notes: spoken.length > 0 ? [`Texts are read as they are; put before them ${spoken.join(', ')}.`] : [],
  }
}

/** Where the transformer's own settings stand: Sentence Transformers reads the first of these that there is. */
export const settingsFiles: readonly string[] = [
  'bert',
  'roberta',
  'distilbert',
  'camembert',
  'albert',
  'xlm-roberta',
  'xlnet',
].map((kind) => `sentence_${kind}_config.json`)

function longestText(folder: string): number | undefined {
  const file = settingsFiles.map((name) => join(folder, name)).find((path) => existsSync(path))
  if (file === undefined) return undefined
  const { max_seq_length: most, do_lower_case: lowers } = readJson(file)
  if (lowers === true)
    throw new ImportError(
      'unsupported',
      `${file}: "do_lower_case" is not supported here; a tokenizer that lowers letters itself is.`,
      { file },
    )
  return typeof most === 'number' && Number.isInteger(most) && most > 0 ? most : undefined
}
