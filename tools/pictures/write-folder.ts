/** Picture models as folders in Hugging Face's form. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Tensors } from '../../src/model/architectures/config.ts'
import type { HfConfig } from '../../src/model/architectures/hf-reader.ts'
import { encodeSafetensors } from '../../src/model/files/safetensors.ts'
import type { Normalising } from '../../src/model/pictures/patches.ts'
import type { TowerConfig } from '../../src/model/pictures/tower.ts'

/** Of grey pictures of garments: mean and deviation of Fashion-MNIST's training pictures. */
export const fashionNormal: Normalising = { mean: [0.286], std: [0.353] }

export interface PictureFolder {
  readonly config: HfConfig
  readonly tower: TowerConfig
  readonly normal: Normalising
  readonly tensors: Tensors
  /** Of models that read texts: contents of `tokenizer.json` and of `tokenizer_config.json`. */
  readonly texts?: { readonly tokenizer: object; readonly config: object }
}

/** Writes configuration, weights in F16, and what pictures are prepared by; other files are left as they are. */
export function writePictureModel(dir: string, o: PictureFolder): void {
  mkdirSync(dir, { recursive: true })
  const json = (name: string, value: object): void =>
    writeFileSync(join(dir, name), `${JSON.stringify(value, null, 1)}\n`)
  json('config.json', { ...o.config, torch_dtype: 'float16' })
  json('preprocessor_config.json', preprocessor(o.tower, o.normal))
  if (o.texts) {
    writeFileSync(join(dir, 'tokenizer.json'), JSON.stringify(o.texts.tokenizer))
    json('tokenizer_config.json', o.texts.config)
  }
  writeFileSync(join(dir, 'model.safetensors'), encodeSafetensors(o.tensors, 'F16', { format: 'pt' }))
}

/** As Hugging Face's processors have it; `background` is ours: garments lie on black. */
const preprocessor = ({ picture }: TowerConfig, { mean, std }: Normalising): object => ({
  image_processor_type: 'ViTImageProcessor',
  do_convert_rgb: false,
  do_resize: true,
  size: { height: picture, width: picture },
  do_rescale: true,
  rescale_factor: 1 / 255,
  do_normalize: true,
  image_mean: mean,
  image_std: std,
  background: 'dark',
})
