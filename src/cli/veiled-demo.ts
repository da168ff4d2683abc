/** The demonstration model once more, disguised: made at the first start, and kept. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { veilModel } from '../../tools/veil/veil.ts'
import { readCatalog } from '../model/files/catalog.ts'
import type { Kit } from '../protections/veiled/kit.ts'
import { readKits } from '../protections/veiled/node/kits.ts'

/** The bundle that is disguised, where it is among the models. */
const ORIGINAL = 'sotto-demo'

/** A folder for the model server, and what pages get. */
export interface VeiledDemo {
  readonly cloud: string
  readonly kits: Readonly<Record<string, Kit>>
}

/** Of the models in a folder; nothing where the demonstration model is not one of them. */
export async function veiledDemo(models: string, stateDir: string): Promise<VeiledDemo | undefined> {
  const from = join(models, ORIGINAL)
  if (!existsSync(join(from, 'manifest.json'))) return undefined
  const [{ hash, manifest }] = await readCatalog(from)
  const at = join(stateDir, 'veiled', hash.slice(0, 16))
  const [cloud, keys] = [join(at, `${ORIGINAL}-veiled`), join(at, 'keys')]
  const about = {
    title: `${manifest.name}, disguised`,
    description:
      'Disguised, not encrypted: the same model on an ordinary engine, at its full speed. Its weights are public, so that here it hides nothing: it shows how.',
    licence: manifest.license,
  }
  if (!existsSync(cloud))
    await veilModel({ from, out: cloud, keys, group: 'full', tenant: 'demo', about }).catch(
      (error: unknown) => {
        // Another start was faster.
        if (!existsSync(cloud)) throw error
      },
    )
  return { cloud, kits: readKits(keys) }
}
