/** A model's tensors as its configuration names them, from a Hugging Face folder. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ModelConfig, Tensor } from '../../src/model/architectures/config.ts'
import { fromHfConfig, type HfConfig, HfConfigError } from '../../src/model/architectures/hf-config.ts'
import { BundleError } from '../../src/model/files/bundle-error.ts'
import { checkConfig, MOST_CONTEXT } from '../../src/model/files/config-schema.ts'
import { continuesText, graphOf } from '../../src/model/graph/graph-of.ts'
import { isOfLayer, tensorShapes } from '../../src/model/graph/tensors.ts'
import { CheckpointFolder } from './checkpoint-folder.ts'
import { ImportError } from './error.ts'
import { headAndEmbedding, isBuffer, namesInCheckpoint } from './names.ts'

export interface SourceOptions {
  /** A shorter context than the model's own. */
  context?: number
  /** A classifier's input is two texts. */
  pairs?: boolean
  /** Tokens that are read of a text at most, where no context is asked for. */
  longestText?: number
  /** Vectors are made of hidden states, whatever head there is beside. */
  isHeadless?: boolean
}

export class CheckpointSource {
  readonly dir: string
  readonly config: ModelConfig
  /** What a person should know: a tied head, tensors left out. */
  readonly notes: string[] = []
  readonly #folder: CheckpointFolder
  /** Name in the checkpoint, by our name. */
  readonly #names = new Map<string, string>()

  /** Opens a folder and checks that every tensor is there and has its shape. Throws {@link ImportError}. */
  constructor(dir: string, options: SourceOptions = {}) {
    this.dir = dir
    const read = withPairs(readConfig(dir, options, this.notes), dir, options.pairs)
    const config = options.isHeadless ? withoutHead(read, dir) : read
    this.#folder = new CheckpointFolder(dir)
    try {
      this.config = this.#tie(config)
      this.#find()
      this.#checkRest()
    } catch (error) {
      this.close()
      throw error
    }
  }

  /** Name, type and size of what the checkpoint stores for a tensor. */
  stored(name: string): { name: string; dtype: string; shape: number[] } {
    const found = this.#names.get(name)!
    const { dtype, shape } = this.#folder.tensors.get(found)!
    return { name: found, dtype, shape }
  }

  /** A tensor by its name in the bundle, or nothing if the model has none of that name. A matrix lasts until the next one. */
  get(name: string): Tensor | undefined {
    const found = this.#names.get(name)
    if (found === undefined) return undefined
    const tensor = this.#folder.read(found)
    const expected = tensorShapes(this.config).get(name)!
    if (tensor.shape.join() === expected.join()) return tensor
    // Positions beyond a shortened context.
    return {
      shape: expected,
      data: tensor.data.subarray(
        0,
        expected.reduce((a, b) => a * b, 1),
      ),
    }
  }

  close(): void {
    this.#folder.close()
  }

  #locate(config: ModelConfig, name: string): string | undefined {
    return namesInCheckpoint(config, name).find((candidate) => this.#folder.tensors.has(candidate))
  }

  /** Whether the head is the embedding: as configured, or because the checkpoint stores it once, or twice the same. */
  #tie(config: ModelConfig): ModelConfig {
    if (config.tied || graphOf(config).head.kind !== 'tokens') return config
    const [head, embedding] = headAndEmbedding(config).map((name) => this.#locate(config, name))
    if (embedding === undefined) return config
    if (head === undefined) {
      this.notes.push('No output head is stored: it is the embedding.')
      return { ...config, tied: true }
    }
    if (this.#folder.digest(head) !== this.#folder.digest(embedding)) return config
    this.notes.push(`"${head}" is the embedding once more: stored once.`)
    return { ...config, tied: true }
  }

  #find(): void {
    const positions = graphOf(this.config).tables.find(({ by }) => by === 'position')?.tensor
    for (const [tensor, expected] of tensorShapes(this.config)) {
      const found = this.#locate(this.config, tensor)
      if (found === undefined) {
        const names = namesInCheckpoint(this.config, tensor).map((name) => `"${name}"`)
        const shape = `of shape [${expected}]`
        throw new ImportError(
          'missing-tensor',
          `${this.dir} has no tensor ${names.join(' or ')} ${shape}. Is config.json that of these weights?`,
          { file: this.dir, tensor },
        )
      }
      const { shape } = this.#folder.tensors.get(found)!
      const file = this.#folder.place(found)
      const isLonger = tensor === positions && shape[0] > expected[0]
      if (shape.join() !== expected.join() && !(isLonger && shape[1] === expected[1]))
        throw new ImportError(
          'wrong-shape',
          `${file}: "${found}" has the shape [${shape}], but config.json says [${expected}]. One of the two is of another model.`,
          { file, tensor: found },
        )
      this.#names.set(tensor, found)
    }
  }

  /** Within a layer, everything must be used: what is left over would change the results. */
  #checkRest(): void {
    const used = new Set(this.#names.values())
    const others: string[] = []
    for (const name of this.#folder.tensors.keys()) {
      if (used.has(name) || isBuffer(name)) continue
      if (isOfLayer(this.config, name)) {
        const file = this.#folder.place(name)
        const why = name.endsWith('.bias')
          ? `the private ${this.config.arch} form has no such bias`
          : `models of form ${this.config.arch} have no such tensor`
        throw new ImportError('unsupported', `${file}: "${name}" can't be served: ${why}.`, {
          file,
          tensor: name,
        })
      }
      others.push(name)
    }
    if (others.length > 0) this.notes.push(`Left out, for this head does not use them: ${others.join(', ')}.`)
  }
}

/** What no bundle may be is refused here, before any weight is read. */
function readConfig(dir: string, options: SourceOptions, notes: string[]): ModelConfig {
  const file = join(dir, 'config.json')
  try {
    const config = fromHfConfig(readJson(file), file, options.context)
    const short = options.context === undefined ? shortened(config, options, notes) : config
    checkConfig(short)
    return short
  } catch (error) {
    if (error instanceof HfConfigError)
      throw new ImportError('unsupported', error.message, { file, cause: error })
    if (error instanceof BundleError)
      throw new ImportError('unsupported', `${file}: ${error.message}`, { file, cause: error })
    throw error
  }
}

/** Cut to what a bundle holds, and to the longest text that is read of. */
function shortened(
  config: ModelConfig,
  { longestText = Number.POSITIVE_INFINITY }: SourceOptions,
  notes: string[],
): ModelConfig {
  const context = Math.min(config.context, longestText, MOST_CONTEXT)
  if (config.context > MOST_CONTEXT && context === MOST_CONTEXT)
    notes.push(
      `The model reaches ${config.context} positions; the bundle is for ${context}, the most there are.`,
    )
  return { ...config, context }
}

function withoutHead({ head: _, ...config }: ModelConfig, dir: string): ModelConfig {
  if (continuesText(config))
    throw new ImportError(
      'unsupported',
      `${dir} makes vectors of a ${config.arch} model, which continues texts; only encoders can.`,
      { file: dir },
    )
  return config
}

function withPairs(config: ModelConfig, dir: string, pairs: boolean | undefined): ModelConfig {
  if (pairs === undefined) return config
  const { head } = config
  if (head?.kind !== 'classify')
    throw new ImportError('unsupported', `${dir} is no classifier of texts: leave out --pairs.`, {
      file: dir,
    })
  return { ...config, head: { kind: 'classify', labels: head.labels, ...(pairs ? { pairs } : {}) } }
}

/** A JSON object from a file. Throws {@link ImportError}. */
export function readJson(file: string): HfConfig {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    throw new ImportError('not-found', `${file} can't be read. Is this a Hugging Face model folder?`, {
      file,
      cause,
    })
  }
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null) return value as HfConfig
  } catch {
    // Falls through to the same complaint.
  }
  throw new ImportError('bad-file', `${file} is not a JSON object. Download it again.`, { file })
}
