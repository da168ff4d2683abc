/** The twins of models that read whole texts. */
import type { ModelConfig, Tensors } from '../../src/model/architectures/config.ts'
import { bertTwin, type TwinText } from './bert.ts'
import type { Vector } from './formulas.ts'
import { modernbertTwin } from './modernbert.ts'
import { rmsBertTwin } from './rms-bert.ts'

const own: Record<string, typeof encoderTwin> = { 'rms-bert': rmsBertTwin, modernbert: modernbertTwin }

/** Last hidden states, and logits of a head, by the form's own twin. */
export const encoderTwin = (
  c: ModelConfig,
  tensors: Tensors,
  text: TwinText,
): { hidden: Vector[]; logits?: Vector[] } => (own[c.arch] ?? bertTwin)(c, tensors, text)
