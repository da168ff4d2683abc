/** Measures a bundle's activation ranges on text and writes them into its manifest. */
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { Tokenizer } from '@huggingface/tokenizers'
import { type Bundle, loadBundle } from '../../src/model/files/bundle-node.ts'
import type { Manifest } from '../../src/model/files/manifest.ts'
import type { Tap } from '../../src/model/graph/taps.ts'
import { calibrate, type Sequence } from '../../src/protections/shared/profiles/fixed/calibrate.ts'
import type { Ranges } from '../../src/protections/shared/profiles/fixed/ranges.ts'
import { checkFits } from './fits.ts'
import { type HeadSpans, headSpans } from './heads.ts'
import { mergeRanges } from './merge.ts'
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

export interface Calibration {
  manifest: Manifest
  ranges: Ranges
  heads: HeadSpans
  /** Tokens measured. */
  tokens: number
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
  const { manifest } = bundle
  manifest.profile = { ...manifest.profile, fixed: { ranges: measured.ranges } }
  checkFits(bundle, measured.ranges)
  const path = join(o.bundle, 'manifest.json')
  writeFileSync(`${path}.part`, `${JSON.stringify(manifest, null, 2)}\n`)
  renameSync(`${path}.part`, path)
  return { manifest, ...measured }
}

/** As `measureBundle`, for those who only want the manifest. */
export async function calibrateBundle(o: CalibrateOptions): Promise<Manifest> {
  return (await measureBundle(o)).manifest
}

/** 20,000, fewer for models that would take hours over them, and never less than 2,000. */
export function defaultTokens({ tensors }: Pick<Manifest, 'tensors'>): number {
  const parameters = tensors.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0)
  return Math.round(Math.min(20_000, Math.max(2000, 2e11 / parameters)))
}

/** Runs the float model over the texts, a slice of time after another. */
export async function measure(
  { manifest, tensors, tokenizer: json }: Bundle,
  texts: readonly CalibrationText[],
  { tokens, onProgress }: Pick<CalibrateOptions, 'tokens' | 'onProgress'> = {},
): Promise<Omit<Calibration, 'manifest'>> {
  const tokenizer = new Tokenizer(json, {})
  const total = tokens ?? defaultTokens(manifest)
  const heads = headSpans(manifest.config)
  const look: Tap = heads.look
  let ranges: Ranges | undefined
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
    const part = calibrate(manifest.config, tensors, slice, look)
    ranges = ranges ? mergeRanges(ranges, part) : part
    onProgress?.(done, total)
    await setImmediate()
  }
  if (!ranges || done === 0) throw new Error('There is no text to calibrate on: the file is empty.')
  return { ranges, heads: heads.spans, tokens: done }
}
