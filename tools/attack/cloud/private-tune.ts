/** A private fine-tune to attack: the model with a change of low rank in its feed-forward blocks, as adapters make them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ModelConfig, Tensors } from '../../../src/model/architectures/config.ts'
import { toHfConfig } from '../../../src/model/architectures/hf-config.ts'
import { encodeSafetensors } from '../../../src/model/files/safetensors.ts'
import { PredictableRandom } from '../../../src/model/random.ts'
import type { Group } from '../../../src/protections/veiled/ends.ts'
import { veiledCopy } from './target.ts'

const RANK = 4
/** Size of the change beside the matrix that it is of. */
const SHARE = 0.03

/** The tuned tensors, and their veiled copy. */
export async function privateTune(
  config: ModelConfig,
  tensors: Tensors,
  group: Group,
): Promise<{ tuned: Tensors; veiled: Tensors }> {
  const random = new PredictableRandom(11)
  const tuned: Tensors = new Map(
    [...tensors].map(([name, { shape, data }]) => [
      name,
      { shape, data: /\.(gate|up)_proj\./.test(name) ? changed(data, shape[1], random) : data },
    ]),
  )
  const dir = mkdtempSync(join(tmpdir(), 'sotto-attack-'))
  try {
    writeFileSync(join(dir, 'config.json'), JSON.stringify(toHfConfig(config)))
    writeFileSync(join(dir, 'model.safetensors'), encodeSafetensors(tuned, 'F32'))
    return { tuned, veiled: (await veiledCopy(dir, group)).tensors }
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

function changed(data: Float32Array, width: number, random: PredictableRandom): Float32Array {
  const draw = (length: number): Float64Array => Float64Array.from({ length }, () => random.normal())
  const height = data.length / width
  const [left, right] = [draw(height * RANK), draw(width * RANK)]
  const change = Float32Array.from(data, (_, at) => {
    const [row, column] = [Math.floor(at / width), at % width]
    let sum = 0
    for (let r = 0; r < RANK; r++) sum += left[row * RANK + r] * right[column * RANK + r]
    return sum
  })
  const size = (values: Float32Array): number =>
    Math.sqrt(values.reduce((sum, value) => sum + value * value, 0))
  const scale = (SHARE * size(data)) / size(change)
  return data.map((value, at) => value + scale * change[at])
}
