/** The two models of garments that come with Sotto, from data to folder. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Tokenizer } from '@huggingface/tokenizers'
import type { ModelConfig, Tensors } from '../../src/model/architectures/config.ts'
import { decodeSafetensors } from '../../src/model/files/safetensors.ts'
import { type LlavaConfig, llavaToHf } from '../../src/model/pictures/llava.ts'
import { readVit, type VitConfig, vitToHf } from '../../src/model/pictures/vit.ts'
import { readJson } from '../import/source.ts'
import { type AnswerAccuracy, answerAccuracy } from './answer-accuracy.ts'
import { COLLAGE_SIDE } from './collage.ts'
import { llavaSpecials } from './collage-batches.ts'
import { FASHION_SIDE, garments, readFashion } from './fashion.ts'
import { labelVit } from './label-vit.ts'
import type { StageProgress } from './stage.ts'
import { trainLlava } from './train-llava.ts'
import { trainVit } from './train-vit.ts'
import { collageVocabulary } from './vocabulary.ts'
import { fashionNormal, writePictureModel } from './write-folder.ts'

const vitConfig: VitConfig = {
  ...{ dim: 64, layers: 4, heads: 4, ff: 192, eps: 1e-6, activation: 'relu' },
  ...{ picture: FASHION_SIDE, patch: 7, channels: 1, labels: garments },
}

export interface FashionOptions {
  /** Folder of Fashion-MNIST's files. */
  readonly data: string
  /** Folder for checkpoints, from which a training goes on, and for the model: `OUT/model`. */
  readonly out: string
  /** Of processor time. */
  readonly minutes: number
  readonly peakLearningRate: number
  readonly seed: number
  readonly threads: number
  readonly onProgress?: (progress: StageProgress) => void
}

/** What has come of it. */
export interface FashionReport {
  readonly model: string
  readonly parameters: number
  /** Share of the 10,000 test pictures whose label is right, by the weights as they are stored. */
  readonly accuracy: number
}

/** A ViT that labels garments. */
export async function makeFashionVit(o: FashionOptions): Promise<FashionReport> {
  const tensors = await trainVit({
    ...o,
    length: { minutes: o.minutes },
    config: vitConfig,
    normal: fashionNormal,
    pictures: readFashion(o.data, 'train'),
  })
  const model = join(o.out, 'model')
  writePictureModel(model, {
    config: vitToHf(vitConfig),
    tower: vitConfig,
    normal: fashionNormal,
    tensors,
  })
  const stored = readVitFolder(model)
  const test = readFashion(o.data, 'test')
  const found = await labelVit(stored.config, stored.tensors, test, fashionNormal, test.count)
  const right = found.filter((label, i) => label === test.labels[i]).length
  return { model, parameters: countOf(tensors), accuracy: right / test.count }
}

/** A ViT's folder. */
export function readVitFolder(dir: string) {
  const path = join(dir, 'config.json')
  const { tensors } = decodeSafetensors(readFileSync(join(dir, 'model.safetensors')))
  return { config: readVit(readJson(path), path), tensors }
}

export interface FashionLlavaOptions extends FashionOptions {
  /** Folder of the ViT that its tower begins as. */
  readonly vit: string
}

/** What has come of it. */
export interface LlavaReport extends Omit<FashionReport, 'accuracy'> {
  /** On collages of the test pictures. */
  readonly answers: AnswerAccuracy
  /** Of the same model that is shown another collage than it is asked about. */
  readonly blind: AnswerAccuracy
}

/** Shares of the time that the stages get. */
const shares = { seeing: 0.2, naming: 0.2, reading: 0.6 }
const VOCABULARY = 384

/** A LLaVA that answers questions on collages of garments. */
export async function makeFashionLlava(o: FashionLlavaOptions): Promise<LlavaReport> {
  const vit = readVitFolder(o.vit)
  const json = collageVocabulary(VOCABULARY, garments.length)
  const tokenizer = new Tokenizer(json, {})
  const config = llavaConfig(vit.config, tokenizer.get_vocab().size)
  const [labels, normal] = [garments.length, fashionNormal]
  const pictures = readFashion(o.data, 'train')
  const part = (share: number) => ({ minutes: share * o.minutes })
  const length = {
    ...{ seeing: part(shares.seeing), naming: part(shares.naming), reading: part(shares.reading) },
  }
  const tensors = await trainLlava({ ...o, length, config, labels, normal, tokenizer, pictures, vit })
  const model = join(o.out, 'model')
  const [bos, , , end] = llavaSpecials.map((_, id) => id)
  writePictureModel(model, {
    config: llavaToHf(config, { bos, end }),
    tower: config.tower,
    normal,
    tensors,
    texts: { tokenizer: json, config: tokenizerConfig },
  })
  const stored = decodeSafetensors(readFileSync(join(model, 'model.safetensors'))).tensors
  const test = readFashion(o.data, 'test')
  const asked = { config, labels, normal, tokenizer, tensors: stored, pictures: test, collages: 400 }
  const answers = await answerAccuracy({ ...asked, isBlind: false })
  const blind = await answerAccuracy({ ...asked, isBlind: true })
  return { model, parameters: countOf(tensors), answers, blind }
}

const [bosToken, user, assistant, endToken, picture] = llavaSpecials

/** As Hugging Face's tokenizers have it: the picture stands before the first question. */
const tokenizerConfig = {
  tokenizer_class: 'PreTrainedTokenizerFast',
  bos_token: bosToken,
  eos_token: endToken,
  chat_template:
    `{{ bos_token }}${picture}{% for message in messages %}{% if message.role == 'user' %}${user}{{ message.content }}` +
    `{{ eos_token }}${assistant}{% else %}{{ message.content }}{{ eos_token }}{% endif %}{% endfor %}`,
}

function llavaConfig(tower: VitConfig, vocab: number): LlavaConfig {
  const text: ModelConfig = {
    ...{ arch: 'llama', vocab, dim: 128, layers: 4, heads: 4, kvHeads: 4, ff: 448, eps: 1e-5 },
    ...{ context: 128, ropeTheta: 10000, activation: 'silu', tied: false },
  }
  const { labels: _, ...sizes } = tower
  return {
    tower: { ...sizes, picture: COLLAGE_SIDE },
    towerLayers: tower.layers,
    text,
    pictureToken: llavaSpecials.indexOf('<image>'),
  }
}

const countOf = (tensors: Tensors): number =>
  [...tensors.values()].reduce((sum, { data }) => sum + data.length, 0)
