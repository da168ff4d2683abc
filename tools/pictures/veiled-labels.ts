/** Whether a veiled ViT, run by an ordinary engine, gives the labels of the original. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { patchesOf } from '../../src/model/pictures/patches.ts'
import type { Group } from '../../src/protections/veiled/ends.ts'
import { readKits } from '../../src/protections/veiled/node/kits.ts'
import { OwnerEnds } from '../../src/protections/veiled/owner-ends.ts'
import { readCloud } from '../../src/protections/veiled/server/checkpoint.ts'
import { loadEngine } from '../../src/protections/veiled/server/load.ts'
import { veilModel } from '../veil/veil.ts'
import { FASHION_SIDE, readFashion } from './fashion.ts'
import { readVitFolder } from './fashion-models.ts'
import { labelVit } from './label-vit.ts'
import { fashionNormal as normal } from './write-folder.ts'

/** Of the first `count` test pictures, a multiple of 100: how many get the same label, veiled with a fresh key. */
export async function sameLabels(vit: string, data: string, group: Group, count: number): Promise<number> {
  const { config, tensors } = readVitFolder(vit)
  const test = readFashion(data, 'test')
  const wanted = await labelVit(config, tensors, test, normal, count)
  const dir = mkdtempSync(join(tmpdir(), 'sotto-labels-'))
  try {
    const [out, keys] = [join(dir, 'cloud'), join(dir, 'keys')]
    const { keyId } = await veilModel({ from: vit, out, keys, group, tenant: 'test' })
    const ends = new OwnerEnds(readKits(keys)[keyId].key)
    const engine = await loadEngine(readCloud(out), { threads: 1 })
    if (engine.kind !== 'picture') throw new Error(`${vit} holds no model of pictures.`)
    const pixels = FASHION_SIDE ** 2
    const signal = new AbortController().signal
    let same = 0
    for (let i = 0; i < count; i++) {
      const picture = test.pixels.subarray(i * pixels, (i + 1) * pixels)
      const values = ends.veilPatches(patchesOf(picture, config, normal)).flatMap((patch) => [...patch])
      const logits = ends.unveilLabels(await engine.label(Float32Array.from(values), signal))
      if (logits.indexOf(Math.max(...logits)) === wanted[i]) same++
    }
    await engine.close()
    return same
  } finally {
    rmSync(dir, { recursive: true })
  }
}
