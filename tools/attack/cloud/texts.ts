/** Texts as the model's token ids. */
import { Tokenizer } from '@huggingface/tokenizers'
import type { Bundle } from '../../../src/model/files/bundle-node.ts'
import { calibrationSequence, readCalibrationTexts } from '../../calibrate/texts.ts'

/** Dialogues or texts of files, each as ids within the model's context. */
export function idsOf({ manifest, tokenizer }: Bundle, files: readonly string[]): number[][] {
  const reader = new Tokenizer(tokenizer, {})
  return files
    .flatMap((file) => readCalibrationTexts(file))
    .map((text) => calibrationSequence(reader, manifest, text))
    .map((sequence) => (Array.isArray(sequence) ? sequence : [...(sequence.ids as number[])]))
}
