/** Measures a bundle's activation ranges on text and writes them into its manifest. */
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { Tokenizer } from '@huggingface/tokenizers'
import { type Bundle, loadBundle } from '../../src/model/files/bundle-node.ts'
import type { Manifest } from '../../src/model/files/manifest.ts'
import { profileOf } from '../../src/protections/shared/profiles/lookup.ts'
import type { RangeEntry, Sequence } from '../../src/protections/shared/profiles/workshop.ts'
import { type HeadSpans, headSpans } from './heads.ts'
import { type CalibrationText, calibrationSequence, readCalibrationTexts } from './texts.ts'

export interface CalibrateOptions {
  /** The bundle's folder; its manifest is rewritten. */
  bundle: string
  /** Dialogues, texts in JSON lines, or a plain text: see `readCalibrationTexts`. */
  data: string
  /** Tokens to measure; see `defaultTokens`. */
  tokens?: number
  onProgress?: (done: number, total: number) => void
}

/** What was measured of a model. */
export interface Measured {
  /** What its manifest says now, as `profile`. */
  profile: Manifest['profile']
  heads: HeadSpans
  /** Tokens measured. */
  tokens: number
}

export interface Calibration extends Measured {
  manifest: Manifest
  /** Every range beside what the model's representation holds. */
  ranges: RangeEntry[]
}

/** Computes for so long before it lets signals and timers in. */
const SLICE_MS = 2000

/**
 * Resolves with the new manifest and what was measured. Throws a `CalibrationError`, before anything is written, when the
 * model can't be computed.
 */
export async function measureBundle(o: CalibrateOptions): Promise<Calibration> {
  const bundle = await loadBundle(o.bundle)
  const measured = await measure(bundle, readCalibrationTexts(o.data), o)
  const { tensors } = bundle
  const manifest = { ...bundle.manifest, profile: measured.profile }
  const workshop = await profileOf(manifest).workshop()
  workshop.check(manifest, tensors)
  const ranges = workshop.report(manifest)
  const path = join(o.bundle, 'manifest.json')
  writeFileSync(`${path}.part`, `${JSON.stringify(manifest, null, 2)}\n`)
  renameSync(`${path}.part`, path)
  return { manifest, ranges, ...measured }
}

/** Calibrates a bundle on disk; resolves with its new manifest. Throws as `measureBundle` does. */
export async function calibrateBundle(o: CalibrateOptions): Promise<Manifest> {
  return (await measureBundle(o)).manifest
}

/** 20,000, fewer for models that would take hours over them, and never less than 2,000. */
function defaultTokens({ tensors }: Pick<Manifest, 'tensors'>): number {
  const parameters = tensors.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0)
  return Math.round(Math.min(20_000, Math.max(2000, 2e11 / parameters)))
}

/** Runs the float model over the texts, a slice of time after another, for the profile that the manifest names. */
export async function measure(
  { manifest, tensors, tokenizer: json }: Bundle,
  texts: readonly CalibrationText[],
  { tokens, onProgress }: Pick<CalibrateOptions, 'tokens' | 'onProgress'> = {},
): Promise<Measured> {
  const tokenizer = new Tokenizer(json, {})
  const total = tokens ?? defaultTokens(manifest)
  const heads = headSpans(manifest.config)
  const profile = profileOf(manifest)
  const measurement = (await profile.workshop()).measure(manifest.config, tensors)
  let next = 0
  let done = 0
  while (next < texts.length && done < total) {
    const until = performance.now() + SLICE_MS
    const slice: Iterable<Sequence> = (function* () {
      while (next < texts.length && done < total && performance.now() < until) {
        const sequence = calibrationSequence(tokenizer, manifest, texts[next++])
        const ids = Array.isArray(sequence) ? sequence : sequence.ids
        if (ids.length === 0) continue
        yield sequence
        done += ids.length
      }
    })()
    measurement.add(slice, heads.tap)
    onProgress?.(done, total)
    await setImmediate()
  }
  if (done === 0) throw new Error('There is no text to calibrate on: the file is empty.')
  return { profile: { [profile.id]: measurement.entry }, heads: heads.spans, tokens: done }
}
