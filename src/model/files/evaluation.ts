/** What was measured of a bundle, in a file beside it: what the bundle is made of, and so its hash, stays as it was. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'

const FILE = 'evaluation.json'

const evaluationSchema = v.object({
  /** Of the bundle that was measured. */
  hash: v.string(),
  /** Share of held-out texts whose private label is the right one, and how many texts there were. */
  accuracy: v.pipe(v.number(), v.minValue(0), v.maxValue(1)),
  texts: v.pipe(v.number(), v.integer(), v.minValue(1)),
})

export type Evaluation = Pick<v.InferOutput<typeof evaluationSchema>, 'accuracy' | 'texts'>

/** Nothing where nothing was measured, or of other weights. Throws a plain explanation for a file that is damaged. */
export function readEvaluation(dir: string, hash: string): Evaluation | undefined {
  const path = join(dir, FILE)
  if (!existsSync(path)) return undefined
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), evaluationSchema), readFileSync(path, 'utf8'))
  if (!parsed.success)
    throw new Error(`${path} is damaged. Remove it, or measure again: sotto evaluate --keep.`)
  const { accuracy, texts, hash: measured } = parsed.output
  return measured === hash ? { accuracy, texts } : undefined
}

export const writeEvaluation = (dir: string, hash: string, { accuracy, texts }: Evaluation): void =>
  writeFileSync(join(dir, FILE), `${JSON.stringify({ hash, accuracy, texts }, undefined, 2)}\n`)
