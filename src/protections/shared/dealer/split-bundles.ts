/** The dealer's halves of split models, as `sotto model split` wrote them. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { modelHash, parseManifest } from '../../../model/files/manifest.ts'
import type { Opener } from '../agreement/seal.ts'
import { type Half, loadHalf } from '../custody/split-bundle.ts'
import { modelPlans, planHash } from '../session/model-plan.ts'

/**
 * Reads every half in `dir`, or the one that `dir` itself is, by the hash of its model. Throws a plain explanation
 * where there is none, or one that is not for this dealer.
 */
export async function readHalves(dir: string, opener: Opener): Promise<Map<string, Half>> {
  const isHalf = (folder: string): boolean => existsSync(join(folder, 'manifest.json'))
  const inside = (): string[] =>
    existsSync(dir)
      ? readdirSync(dir)
          .map((name) => join(dir, name))
          .filter(isHalf)
          .sort()
      : []
  const folders = isHalf(dir) ? [dir] : inside()
  if (folders.length === 0)
    throw new Error(`There is no half of a split model in ${dir}. sotto model split makes them.`)
  const halves = new Map<string, Half>()
  for (const folder of folders) {
    const manifest = parseManifest(readFileSync(join(folder, 'manifest.json'), 'utf8'))
    if (!manifest.custody) throw new Error(`${folder} is a whole bundle: a dealer must not have one.`)
    const hash = await modelHash(manifest)
    const plan = await planHash(modelPlans(manifest))
    halves.set(hash, await loadHalf(folder, { holder: 'dealer', modelHash: hash, planHash: plan }, opener))
  }
  return halves
}
