/** The demonstration models once more, disguised: made at the first start, and kept. */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type VeilOptions, veilModel } from '../../tools/veil/veil.ts'
import type { SimulatorPolicy } from '../handshake/attestation/policy.ts'
import { simulatorPolicy } from '../handshake/attestation/simulate.ts'
import { loadIdentity } from '../handshake/node/key-file.ts'
import { readCatalog } from '../model/files/catalog.ts'
import type { Kit } from '../protections/veiled/kit.ts'
import { readKits } from '../protections/veiled/node/kits.ts'

/** The models that are disguised, where they are among those of a folder. */
const CHAT = 'sotto-demo'
const pictureModels = [
  {
    folder: 'fashion-vit',
    title: 'Garments, disguised',
    does: 'A ViT that labels a garment on a plain background.',
  },
  {
    folder: 'fashion-llava',
    title: 'Questions on garments, disguised',
    does: 'A LLaVA that answers questions on a picture of two by two garments on a plain background.',
  },
]

const WHY =
  'Disguised, not encrypted: on an ordinary engine, at its full speed. Its weights are public, so that here it hides nothing: it shows how.'

/** The key of the simulated enclave that the demonstration's server is in, and what pages demand of it. */
export function simulatedEnclave(stateDir: string): { key: string; policy: SimulatorPolicy } {
  const key = join(stateDir, 'simulator.pem')
  return { key, policy: simulatorPolicy(loadIdentity(key)) }
}

/** A folder for the model server, and what pages get. */
export interface VeiledDemo {
  readonly cloud: string
  readonly kits: Readonly<Record<string, Kit>>
}

/** Of the models in a folder. */
export async function veiledDemos(models: string, stateDir: string): Promise<VeiledDemo[]> {
  const demos: VeiledDemo[] = []
  const chat = join(models, CHAT)
  if (existsSync(join(chat, 'manifest.json'))) {
    const [{ manifest }] = await readCatalog(chat)
    const about = { title: `${manifest.name}, disguised`, description: WHY, licence: manifest.license }
    demos.push(await disguised(chat, CHAT, hashOfFiles(chat), stateDir, about))
  }
  for (const { folder, title, does } of pictureModels) {
    const from = join(models, folder)
    if (!existsSync(join(from, 'config.json'))) continue
    const about = { title, description: `${does} ${WHY}`, licence: 'MIT' }
    demos.push(await disguised(from, folder, hashOfFiles(from), stateDir, about))
  }
  return demos
}

async function disguised(
  from: string,
  name: string,
  hash: string,
  stateDir: string,
  about: VeilOptions['about'],
): Promise<VeiledDemo> {
  const at = join(stateDir, 'veiled', hash.slice(0, 16))
  const [cloud, keys] = [join(at, `${name}-veiled`), join(at, 'keys')]
  if (!existsSync(cloud))
    await veilModel({ from, out: cloud, keys, group: 'full', tenant: 'demo', about }).catch(
      (error: unknown) => {
        // Another start was faster.
        if (!existsSync(cloud)) throw error
      },
    )
  return { cloud, kits: readKits(keys) }
}

/** Names what veiling reads of a folder: its files, without what is hidden there, half written, or a server's own. */
function hashOfFiles(dir: string): string {
  const hash = createHash('sha256')
  const files = readdirSync(dir, { withFileTypes: true })
    .filter((entry) => entry.isFile() && !/^\.|\.part$|\.encoded$/.test(entry.name))
    .map(({ name }) => name)
    .sort()
  for (const file of files) hash.update(`${file}\n`).update(readFileSync(join(dir, file)))
  return hash.digest('hex')
}
