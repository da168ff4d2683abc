/** The model under attack: a bundle, and what the cloud gets of it when it is veiled with a fresh key. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ModelConfig, Tensors } from '../../../src/model/architectures/config.ts'
import { type Bundle, loadBundle } from '../../../src/model/files/bundle-node.ts'
import { continuesText } from '../../../src/model/graph/graph-of.ts'
import type { Group } from '../../../src/protections/veiled/ends.ts'
import { OwnerEnds } from '../../../src/protections/veiled/owner-ends.ts'
import { parseOwnerKey } from '../../../src/protections/veiled/owner-key.ts'
import { CheckpointFolder } from '../../import/checkpoint-folder.ts'
import { veilModel } from '../../veil/veil.ts'
import { AttackError } from '../error.ts'

export interface Target {
  readonly bundle: Bundle
  /** What the cloud holds; its tokens are numbers. */
  readonly veiled: { readonly config: ModelConfig; readonly tensors: Tensors }
  /** The owner's secret: to judge with, never used to attack. */
  readonly ends: OwnerEnds
  /** The token that each number stands for: to judge with. */
  readonly truth: Uint32Array
}

/** Veils a bundle for a measurement; nothing stays on disk. Throws {@link AttackError} for models that continue no text. */
export async function veiledTarget(dir: string, group: Group): Promise<Target> {
  const bundle = await loadBundle(dir)
  if (!continuesText(bundle.manifest.config))
    throw new AttackError('Of veiled models, those that continue texts are measured.')
  const { config } = bundle.manifest
  const { tensors, ends } = await veiledCopy(dir, group)
  const numbers = Array.from({ length: config.vocab }, (_, i) => i)
  const truth = Uint32Array.from(ends.unveilIds(numbers))
  return { bundle, veiled: { config: { ...config, tied: false }, tensors }, ends, truth }
}

/** A folder's tensors as the cloud gets them, under a fresh key. */
export async function veiledCopy(from: string, group: Group): Promise<{ tensors: Tensors; ends: OwnerEnds }> {
  const dir = mkdtempSync(join(tmpdir(), 'sotto-attack-'))
  try {
    const [out, keys] = [join(dir, 'cloud'), join(dir, 'keys')]
    const { ownerKey } = await veilModel({ from, out, keys, group, tenant: 'attack' })
    const ends = new OwnerEnds(parseOwnerKey(readFileSync(ownerKey, 'utf8'), ownerKey))
    return { tensors: allTensors(out), ends }
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

function allTensors(dir: string): Tensors {
  const folder = new CheckpointFolder(dir)
  try {
    const copy = (name: string) => {
      const { shape, data } = folder.read(name)
      return { shape, data: data.slice() }
    }
    return new Map([...folder.tensors.keys()].map((name) => [name, copy(name)]))
  } finally {
    folder.close()
  }
}
