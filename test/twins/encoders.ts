/** The twins of models that read whole texts. */
import type { ModelConfig, Tensors } from '../../src/model/architectures/config.ts'
import { bertTwin, type TwinText } from './bert.ts'
import type { Vector } from './formulas.ts'
import { rmsBertTwin } from './rms-bert.ts'

/** Last hidden states, and logits of a head, by the form's own twin. */
export const encoderTwin = (
  c: ModelConfig,
  tensors: Tensors,
  text: TwinText,
): { hidden: Vector[]; logits?: Vector[] } =>
  (c.arch === 'rms-bert' ? rmsBertTwin : bertTwin)(c, tensors, text)
