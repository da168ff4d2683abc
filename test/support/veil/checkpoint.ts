/** Random checkpoints in Hugging Face's format, in float64: nothing about them is trivial. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type HfConfig, HfReader } from '../../../src/model/architectures/hf-reader.ts'
import { encodeHeader } from '../../../src/model/files/safetensors.ts'
import { PredictableRandom } from '../../../src/model/random.ts'
import { CheckpointFolder } from '../../../tools/import/checkpoint-folder.ts'
import { familyOf } from '../../../tools/veil/families/registry.ts'
import { narrow, type WordType, wordBytes, wordsOf } from '../../../tools/veil/words.ts'
import { storedIn } from '../../../tools/veil/write-tensors.ts'

export interface WideTensor {
  shape: number[]
  data: Float64Array<ArrayBuffer>
}

export type WideTensors = Map<string, WideTensor>

/** Signed gains, biases as large as values; `without` names tensors that the model has not. */
export function randomCheckpoint(config: HfConfig, seed: number, without: RegExp = /^$/): WideTensors {
  const random = new PredictableRandom(seed)
  // Every tensor that the family knows of, optional ones too, but for those that only some files have.
  const { tensors } = familyOf(config).describe(
    new HfReader(config, 'config.json'),
    (name) => !without.test(name),
  )
  const out: WideTensors = new Map()
  for (const { name, axes, shape: given, role } of tensors) {
    if (without.test(name)) continue
    const shape = [
      ...(given ??
        axes.map((axis) =>
          [axis]
            .flat()
            .reduce((sum, one) => sum + ('plain' in one ? one.plain : one.space.sizeOf(one.part)), 0),
        )),
    ]
    const length = shape.reduce((a, b) => a * b, 1)
    const isGain = role?.of === 'gain' || /[qk]_norm\.weight$/.test(name)
    const std = shape.length === 1 ? 0.5 : 1 / Math.sqrt(length / shape[0])
    const draw = (): number =>
      isGain ? (0.3 + 2.2 * random.uniform()) * (random.uniform() < 0.5 ? -1 : 1) : std * random.normal()
    out.set(name, { shape, data: Float64Array.from({ length }, draw) })
  }
  return out
}

/** Writes a folder; of `files` above 1, with an index. */
export function writeCheckpoint(
  dir: string,
  config: HfConfig,
  tensors: WideTensors,
  { type = 'F64' as WordType, files = 1 } = {},
): void {
  mkdirSync(dir, { recursive: true })
  writeFileSync(join(dir, 'config.json'), JSON.stringify(config))
  const names = [...tensors.keys()]
  const weightMap: Record<string, string> = {}
  for (let f = 0; f < files; f++) {
    const file = files === 1 ? 'model.safetensors' : `model-0000${f + 1}-of-0000${files}.safetensors`
    const own = names.filter((_, i) => i % files === f)
    const parts = own.map((name) => stored(tensors.get(name)!.data, type))
    const header = encodeHeader(
      own.map((name) => ({ name, shape: tensors.get(name)!.shape, dtype: type })),
      undefined,
      wordBytes,
    )
    writeFileSync(join(dir, file), Buffer.concat([header, ...parts]))
    for (const name of own) weightMap[name] = file
  }
  if (files > 1)
    writeFileSync(join(dir, 'model.safetensors.index.json'), JSON.stringify({ weight_map: weightMap }))
}

function stored(data: Float64Array, type: WordType): Uint8Array {
  const bytes = new Uint8Array(data.length * wordBytes[type])
  narrow(type, data, 0, 1, data.length, wordsOf(type, bytes), 0)
  return bytes
}

/** Every tensor of a folder, whatever its type. */
export function readCheckpoint(dir: string): WideTensors {
  const folder = new CheckpointFolder(dir)
  try {
    const { tensors, values } = storedIn(folder)
    return new Map(
      [...tensors].map(([name, { shape }]) => [name, { shape, data: new Float64Array(values(name)) }]),
    )
  } finally {
    folder.close()
  }
}
