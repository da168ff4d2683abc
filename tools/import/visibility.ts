/** Which tensors a bundle keeps private, in the words of the command line. */

import type { ModelConfig } from '../../src/model/architectures/config.ts'
import { isOfBlocks } from '../../src/model/files/bundle-node.ts'
import type { Visibility } from '../../src/model/files/manifest.ts'
import { graphOf } from '../../src/model/graph/graph-of.ts'
import { headTensors, normTensors, tensorShapes } from '../../src/model/graph/tensors.ts'
import { ImportError } from './error.ts'
import { headAndEmbedding } from './names.ts'

/**
 * `blocks`: layers and a classifier's head; `all`; `none`; `head`: the head alone, and what it shares its weights with;
 * anything else is a comma-separated list of tensor names in which `*` stands for any characters. Throws
 * {@link ImportError} when a pattern meets no tensor.
 */
export function chosenVisibility(config: ModelConfig, words: string): (name: string) => Visibility {
  const by = (isPrivate: (name: string) => boolean) => (name: string) =>
    isPrivate(name) ? 'private' : 'public'
  if (words === 'blocks') return by((name) => isOfBlocks(config, name))
  if (words === 'all') return by(() => true)
  if (words === 'none') return by(() => false)
  if (words === 'head') return by(headOf(config))
  const patterns = words.split(',').map((word) => word.trim())
  const names = [...tensorShapes(config).keys()]
  const tests = patterns.map((pattern) => {
    const escaped = pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')
    const test = new RegExp(`^${escaped}$`)
    if (!names.some((name) => test.test(name)))
      throw new ImportError(
        'unsupported',
        `--private ${pattern}: no tensor has such a name. One is called ${names[names.length >> 1]}.`,
      )
    return test
  })
  return by((name) => tests.some((test) => test.test(name)))
}

/** A decoder's output matrix and the norm before it, or an encoder's classifier or token predictions. */
function headOf(config: ModelConfig): (name: string) => boolean {
  const graph = graphOf(config)
  const { head, finalNorm } = graph
  const own = headTensors(graph)
  // A norm behind the last block is that block's; only one that stands on its own is part of the head.
  if (graph.skip === 'stream') own.push(...normTensors(finalNorm))
  const [decoder, embedding] = headAndEmbedding(config)
  if (head.kind === 'tokens' || head.kind === 'none') own.push(config.tied ? embedding : decoder)
  return (name) => own.includes(name)
}
