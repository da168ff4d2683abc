import type { ModelConfig, Tensors } from '../../src/model/architectures/config.ts'
import { isOfBlocks, loadBundle, setProfile, writeBundle } from '../../src/model/files/bundle-node.ts'
import type { Manifest, Visibility } from '../../src/model/files/manifest.ts'
import { graphOf } from '../../src/model/graph/graph-of.ts'
import { defaultProfile } from '../../src/protections/shared/profiles/lookup.ts'
import { measure } from '../calibrate/calibrate.ts'
import type { CalibrationText } from '../calibrate/texts.ts'
import type { About } from '../train/export.ts'
import { isHead, type Method } from './base.ts'

/**
 * Who may see a tensor: with adapters, the base is public and what was learned is private (of FFA-LoRA, A is public);
 * without, the layers and the head are private. Embedding tables are the data owner's to use, and always public.
 */
export function methodVisibility(config: ModelConfig, method: Method): (name: string) => Visibility {
  const isPrivate = (name: string): boolean => {
    if (method === 'full') return isOfBlocks(config, name)
    if (name.endsWith('.lora_A.weight')) return method === 'lora'
    return name.endsWith('.lora_B.weight') || (graphOf(config).head.kind === 'labels' && isHead(config, name))
  }
  return (name) => (isPrivate(name) ? 'private' : 'public')
}

export interface ExportParts {
  config: ModelConfig
  tensors: Tensors
  /** Values of the trained tensors, in place of those in `tensors`. */
  values: ReadonlyMap<string, Float32Array>
  tokenizer: object
  chat?: Manifest['chat']
  method: Method
  about: About
  /** Texts that the model is calibrated on. Never the texts of a private run's training. */
  texts: readonly CalibrationText[]
}

/** Writes a bundle, calibrated on the texts; returns its hash. Throws when the model cannot be computed privately. */
export async function exportFineTuned(dir: string, o: ExportParts): Promise<string> {
  const visibility = methodVisibility(o.config, o.method)
  const tensors: Tensors = new Map(
    [...o.tensors].map(([name, t]) => [name, { shape: t.shape, data: o.values.get(name) ?? t.data }]),
  )
  const workshop = await defaultProfile().workshop()
  await writeBundle(dir, {
    ...o.about,
    config: o.config,
    chat: o.chat,
    profile: {},
    tokenizer: o.tokenizer,
    tensors,
    visibility,
    isBase: workshop.foldedAway(o.config, (name) => visibility(name) === 'public'),
  })
  const bundle = await loadBundle(dir)
  const { profile } = await measure(bundle, o.texts)
  workshop.check({ ...bundle.manifest, profile }, bundle.tensors)
  return setProfile(dir, profile)
}
