/** What the blocks of a model share while a plan is built. */
import { headDim, type ModelConfig } from '../../../../model/architectures/config.ts'
import { addBias } from '../../ops/add-bias.ts'
import { addSplitBias } from '../../ops/composed/add-split-bias.ts'
import { known } from '../../ops/known.ts'
import { linearPrivate } from '../../ops/linear-private.ts'
import { linearSplit } from '../../ops/linear-split.ts'
import { narrowOpening } from '../../ops/narrow-opening.ts'
import { open } from '../../ops/open.ts'
import { openToServer } from '../../ops/open-to-server.ts'
import { truncate } from '../../ops/truncate.ts'
import { PlanBuilder } from '../../plan.ts'
import { fraction } from '../../scale.ts'
import type { Masked, Opened, Share } from '../../values.ts'
import type { PlanOptions } from '../profile.ts'
import type { Form } from './form.ts'
import { hasBias, type MatrixPlace, matrixName, weightIndex } from './matrices.ts'
import type { Quantization } from './quantization.ts'
import type { Tables } from './tables.ts'
import type { Widths } from './widths.ts'

/** A model as `compile` needs it: public metadata only. */
export interface ModelSpec {
  readonly config: ModelConfig
  readonly form: Form
  readonly quantization: Quantization
  readonly widths: Widths
  readonly tables: Tables
  /** Nobody has all of the weights: they are in pieces. */
  readonly isSplit: boolean
}

/** What a private matrix multiplies: the server's under the owner's mask or, of split weights, opened to both. */
export type Blinded = Masked | Opened

/** Adds the steps of one layer to a plan. */
export class Block {
  readonly plan = new PlanBuilder()
  readonly spec: ModelSpec
  readonly options: PlanOptions
  /** Positions that every row sees, where they are as many for each. */
  readonly seen: number

  constructor(spec: ModelSpec, options: PlanOptions, seen: number) {
    this.spec = spec
    this.options = options
    this.seen = seen
  }

  get widths(): Widths {
    return this.spec.widths
  }

  /** Whether everything goes through tables of four-bit values. */
  get isFourBit(): boolean {
    return this.spec.quantization.variant === 'tables'
  }

  get heads(): { heads: number; kvHeads: number; headDim: number } {
    const { config } = this.spec
    return { heads: config.heads, kvHeads: config.kvHeads, headDim: headDim(config) }
  }

  /** Whether only the last row goes on after this layer's keys and values. */
  isCut(layer: number): boolean {
    const { config, form } = this.spec
    const isRow = form.isCausal ? !this.options.everyRow : form.labels !== undefined
    return isRow && layer === config.layers - 1
  }

  /** Hides x for products with private matrices in rings up to `ring`; `first` is one of them. */
  blind(x: Share, first: MatrixPlace, ring: number): Blinded {
    if (this.spec.isSplit) return open(this.plan, x, { bits: ring })
    return openToServer(this.plan, x, weightIndex(first), ring)
  }

  /** Takes a value that was opened under the first matrix's mask to products in another ring: no message. */
  opened(x: Opened, ring: number): Blinded {
    return this.spec.isSplit ? narrowOpening(this.plan, x, ring) : known(this.plan, x, ring)
  }

  /** A private product and its bias mod 2^ring, less `drop` bits. */
  linear(e: Blinded, place: MatrixPlace, n: number, ring: number, drop: number): Share {
    const name = matrixName(place)
    const { isSplit, config, quantization } = this.spec
    const weight = {
      ...{ name, index: weightIndex(place), n },
      scale: fraction(quantization.weights[place.role] ?? 0),
      visibility: isSplit ? ('split' as const) : ('private' as const),
    }
    const product =
      e.kind === 'masked'
        ? linearPrivate(this.plan, e, weight, ring)
        : linearSplit(this.plan, e, weight, ring)
    const y = hasBias(config, place) ? this.#biased(product, name) : product
    return drop === 0 ? y : truncate(this.plan, y, drop, ring - drop, 'modular')
  }

  #biased(x: Share, name: string): Share {
    return this.spec.isSplit ? addSplitBias(this.plan, x, name) : addBias(this.plan, x, name)
  }
}
