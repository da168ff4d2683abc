/** The little of a model that whoever writes to it has to know: what makes ids of texts, and texts of ids. */
import type { ModelConfig } from './architectures/config.ts'
import type { PublicModel } from './files/bundle.ts'
import type { Manifest } from './files/manifest.ts'
import { continuesText } from './graph/graph-of.ts'

/** How texts become ids for a model. */
export interface TextModel extends Pick<Manifest, 'name' | 'chat' | 'text' | 'pooling'> {
  readonly config: Pick<ModelConfig, 'context' | 'types' | 'head'>
  /** Whether it writes on, token by token; others read whole texts. */
  readonly continuesText: boolean
}

/** A model's texts, and its tokenizer. */
export interface ModelTexts {
  readonly model: TextModel
  /** Contents of `tokenizer.json`. */
  readonly tokenizer: object
}

/** Of a bundle. */
export const textsOf = ({ manifest, tokenizer }: Pick<PublicModel, 'manifest' | 'tokenizer'>): ModelTexts => {
  const { name, chat, text, pooling, config } = manifest
  return { tokenizer, model: { name, chat, text, pooling, config, continuesText: continuesText(config) } }
}
