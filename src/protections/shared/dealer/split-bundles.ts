/** The dealer's split bundles, as `sotto model split` wrote them. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { modelHash, parseManifest } from '../../../model/files/manifest.ts'
import type { Opener } from '../agreement/seal.ts'
import { loadSplitBundle, type SplitBundle } from '../custody/split-bundle.ts'
import { modelPlans, planHash } from '../session/model-plan.ts'

/**
 * Reads every split bundle in `dir`, or the one that `dir` itself is, by the hash of its model. Throws a plain explanation
 * where there is none, or one that is not for this dealer.
 */
export async function readSplitBundles(dir: string, opener: Opener): Promise<Map<string, SplitBundle>> {
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
    throw new Error(`There is no split bundle in ${dir}. sotto model split makes them.`)
  const splitBundles = new Map<string, SplitBundle>()
  for (const folder of folders) {
    const manifest = parseManifest(readFileSync(join(folder, 'manifest.json'), 'utf8'))
    if (!manifest.custody) throw new Error(`${folder} is a whole bundle: a dealer must not have one.`)
    const hash = await modelHash(manifest)
    const plan = await planHash(modelPlans(manifest))
    splitBundles.set(
      hash,
      await loadSplitBundle(folder, { holder: 'dealer', modelHash: hash, planHash: plan }, opener),
    )
  }
  return splitBundles
}
