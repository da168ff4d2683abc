/** Attacks of a cloud on a veiled model of pictures. */
import { basename, join } from 'node:path'
import { readVit } from '../../../src/model/pictures/vit.ts'
import type { Group } from '../../../src/protections/veiled/ends.ts'
import { readJson } from '../../import/source.ts'
import { readFashion } from '../../pictures/fashion.ts'
import { fashionNormal } from '../../pictures/write-folder.ts'
import type { VeiledAttackReport } from './attack-veiled.ts'
import { timed } from './finding.ts'
import { pixelsByComponents } from './pixels.ts'
import { veiledCopy } from './target.ts'

const PICTURES = 1500

/** Whether a folder's model reads pictures alone. */
export const readsPictures = (dir: string): boolean => readJson(join(dir, 'config.json')).model_type === 'vit'

/**
 * Veils a ViT of Fashion-MNIST's pictures with a fresh key, and looks at what its users send.
 * @param pictures folder of Fashion-MNIST: users send its test pictures, the cloud has its others
 */
export async function attackPictures(
  model: string,
  group: Group,
  pictures: string,
  count = PICTURES,
): Promise<VeiledAttackReport> {
  const path = join(model, 'config.json')
  const config = readVit(readJson(path), path)
  const { ends } = await veiledCopy(model, group)
  const sets = { users: readFashion(pictures, 'test'), known: readFashion(pictures, 'train'), count }
  const finding = await timed(
    {
      attack: 'pixels by independent components',
      knows: 'domain',
      knew: `${count} pictures of the same kind; ${count} of users as veiled patches`,
    },
    () => pixelsByComponents(ends, config, fashionNormal, sets),
  )
  return { model: basename(model), group, findings: [finding] }
}
