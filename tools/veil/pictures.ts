/** What data owners prepare pictures by, of models that read some. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import * as v from 'valibot'
import { type HfConfig, HfReader } from '../../src/model/architectures/hf-reader.ts'
import { readLlava } from '../../src/model/pictures/llava.ts'
import { PICTURES_FILE } from '../../src/protections/veiled/node/kits.ts'
import { PICTURES_FORMAT, picturesSchema } from '../../src/protections/veiled/pictures.ts'
import { readJson } from '../import/source.ts'
import { VeilError } from './error.ts'

/** Writes it where the model reads pictures and says how they are prepared. Throws {@link VeilError}. */
export function writePictures(from: string, to: string, config: HfConfig): void {
  const vision = config.model_type === 'vit' ? config : (config.vision_config as HfConfig | undefined)
  const path = join(from, 'preprocessor_config.json')
  if (!vision || !existsSync(path)) return
  const read = new HfReader(vision, join(from, 'config.json'))
  const wishes = readJson(path)
  const parsed = v.safeParse(picturesSchema, {
    format: PICTURES_FORMAT,
    name: basename(resolve(from)),
    picture: read.size('image_size', 224),
    patch: read.size('patch_size', 16),
    channels: read.size('num_channels', 3),
    mean: wishes.image_mean,
    std: wishes.image_std,
    background: wishes.background,
    ...(config.model_type === 'llava'
      ? { token: readLlava(config, join(from, 'config.json')).pictureToken }
      : {}),
    ...reconstructionIn(from),
  })
  if (!parsed.success)
    throw new VeilError('unsupported', `${path}: ${v.getDotPath(parsed.issues[0])} is not as it should be.`)
  mkdirSync(to, { recursive: true })
  writeFileSync(join(to, PICTURES_FILE), `${JSON.stringify(parsed.output, null, 1)}\n`)
}

/** What a cloud makes of such pictures, where it has been measured. */
function reconstructionIn(from: string): { reconstruction?: HfConfig } {
  const path = join(from, 'reconstruction.json')
  return existsSync(path) ? { reconstruction: readJson(path) } : {}
}
