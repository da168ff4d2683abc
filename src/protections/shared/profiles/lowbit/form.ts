/** What of a model's graph decides its plans here, and which graphs there are plans for. */
import type { Activation, ModelConfig } from '../../../../model/architectures/config.ts'
import type { ModelGraph } from '../../../../model/graph/graph.ts'
import { graphOf } from '../../../../model/graph/graph-of.ts'
import { ProfileError } from '../errors.ts'
import { ID } from './id.ts'

/** The form of a model's layers. */
export interface Form {
  /** Rows see the past alone, and the norm stands before a block; or all rows, and one norm is behind attention. */
  readonly isCausal: boolean
  /** Attention and feed-forward block read the same norm. */
  readonly isParallel: boolean
  readonly activation: Activation
  readonly isGated: boolean
  readonly isAlibi: boolean
  /** Logits over so many labels are computed between the parties. */
  readonly labels?: number
}

const refuse = (config: ModelConfig, why: string): never => {
  throw new ProfileError(
    `Models of form "${config.arch}" cannot be computed in the profile '${ID}': ${why}.`,
    ID,
  )
}

/** The form of a configuration. Throws `ProfileError` for one that there are no plans for. */
export function formOf(config: ModelConfig): Form {
  const graph = graphOf(config)
  if (graph.scores !== 'octaves') refuse(config, 'its attention scores are not in octaves')
  if (graph.isRotary) refuse(config, 'its positions are rotary')
  const isCausal = graph.attention === 'causal'
  if (!isCausal) checkHomogeneous(config, graph)
  const { head, activation, isGated, isAlibi, isParallel } = graph
  if (isCausal && !isGated) refuse(config, 'its feed-forward blocks are not gated')
  return {
    ...{ isCausal, isParallel, activation, isGated, isAlibi },
    labels: head.kind === 'labels' ? head.output.outputs : undefined,
  }
}

/** A norm can be applied behind a block of ReLU without biases alone. */
function checkHomogeneous(config: ModelConfig, { layers, activation, isGated, head }: ModelGraph): void {
  if (activation !== 'relu' || isGated) refuse(config, 'the activation of an encoder is not ReLU')
  if (layers.some(({ gate, down }) => gate.bias !== undefined || down.bias !== undefined))
    refuse(config, 'its feed-forward blocks have biases')
  if (head.kind === 'tokens' || (head.kind === 'labels' && head.pool)) refuse(config, 'of its head')
}
