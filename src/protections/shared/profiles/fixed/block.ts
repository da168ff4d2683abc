/** What the blocks of a model share while a plan is built. */

import type { ModelConfig } from '../../../../model/architectures/config.ts'
import type { Visibility } from '../../../../model/files/manifest.ts'
import type { ModelGraph } from '../../../../model/graph/graph.ts'
import { graphOf } from '../../../../model/graph/graph-of.ts'
import { addBias } from '../../ops/add-bias.ts'
import { addSplitBias } from '../../ops/composed/add-split-bias.ts'
import { inverseLevels, openInverse, timesInverse } from '../../ops/composed/open-inverse.ts'
import { lift } from '../../ops/lift.ts'
import { linearPrivate } from '../../ops/linear-private.ts'
import { linearPublic } from '../../ops/linear-public.ts'
import { linearSplit } from '../../ops/linear-split.ts'
import { open } from '../../ops/open.ts'
import { openLiftedToServer } from '../../ops/open-lifted-to-server.ts'
import { openToServer } from '../../ops/open-to-server.ts'
import type { WeightRef } from '../../ops/parts/weight-ref.ts'
import { product } from '../../ops/product.ts'
import { sumSquares } from '../../ops/sum-squares.ts'
import { truncate } from '../../ops/truncate.ts'
import { widenOpening } from '../../ops/widen-opening.ts'
import { PlanBuilder } from '../../plan.ts'
import { fraction } from '../../scale.ts'
import type { Opened, Share } from '../../values.ts'
import type { PlanOptions } from '../profile.ts'
import {
  allMatrices,
  END_ROLES,
  type EndRole,
  hasBias,
  isEnd,
  LAYER_ROLES,
  type MatrixRole,
  matrixName,
} from './matrices.ts'
import { RangeChecks } from './range-checks.ts'
import type { Ranges } from './ranges.ts'
import {
  INVERSE_DEGREE,
  type NormWidths,
  normalBits,
  openedAs,
  type Precision,
  precisionOf,
  residualRing,
  weightFrac,
} from './widths.ts'

/** Fraction bits of the inverse tables' public basis. */
export const BASIS_BITS = 12

/** `owner-held`: the model server has the private weights. `split`: nobody has them all. */
export type Custody = 'owner-held' | 'split'

/** A model as `compile` needs it: public metadata only. */
export interface ModelSpec {
  readonly config: ModelConfig
  readonly ranges: Ranges
  visibility(layer: number, role: MatrixRole): Visibility
  /** The embedding and the output head; public, in clear at the owner, where nothing else is said. */
  readonly ends?: Readonly<Partial<Record<EndRole, Visibility>>>
  /** Who has the private weights: the server, unless they are split among all three parties. */
  readonly custody?: Custody
  /** Fraction bits of the weights, where not the form's usual ones: see `weightBits`. */
  readonly weight?: number
}

/** Whether a matrix is public or private, the model's ends included. */
export const matrixVisibility = (spec: ModelSpec, layer: number, role: MatrixRole): Visibility =>
  isEnd(role) ? (spec.ends?.[role] ?? 'public') : spec.visibility(layer, role)

/** Tells the weights of a model apart, in all its plans. */
export const weightIndex = (layer: number, role: MatrixRole): number =>
  LAYER_ROLES.length * layer + [...LAYER_ROLES.map(String), ...END_ROLES].indexOf(role)

/** Adds the steps of one layer to a plan. */
export class Block {
  readonly plan = new PlanBuilder()
  readonly spec: ModelSpec
  readonly graph: ModelGraph
  readonly options: PlanOptions
  readonly precision: Precision
  readonly spanBits: number
  /** Bits that are opened of the residual stream, and its ring. */
  readonly residual: number
  readonly stream: number
  readonly checks: RangeChecks

  constructor(spec: ModelSpec, spanBits: number, options: PlanOptions) {
    this.spec = spec
    this.graph = graphOf(spec.config)
    this.options = options
    this.precision = precisionOf(spec.config, spec.weight)
    this.spanBits = spanBits
    const { guard, streamGuard } = this.precision
    this.residual = residualRing(spec.ranges, this.precision)
    this.stream = this.residual + streamGuard
    const hasSecrets = allMatrices(spec.config).some(
      ({ layer, role }) => matrixVisibility(spec, layer, role) === 'private',
    )
    this.checks = new RangeChecks(this, guard, hasSecrets)
  }

  /** The widths of a norm over the residual stream. */
  ofStream(w: NormWidths): NormWidths {
    return openedAs(w, this.residual, this.spec.config.dim)
  }

  /** Whether only the last row goes on after this layer's keys and values: see `compileModel`. */
  isLast(layer: number): boolean {
    const { attention, head, layers } = this.graph
    const readsFirst = head.kind === 'labels' && head.reads === 'first'
    const everyRow = attention === 'causal' ? this.options.everyRow : !readsFirst
    return layer === layers.length - 1 && !everyRow
  }

  /** Whether one of the model's ends is computed privately. */
  isPrivate(end: EndRole): boolean {
    return matrixVisibility(this.spec, this.graph.layers.length, end) === 'private'
  }

  /** Whether a layer's input comes normalised from the owner: where the first norm is all that reads a public embedding. */
  isNormalised(layer: number): boolean {
    return layer === 0 && this.graph.skip === 'normalised' && !this.isPrivate('embed')
  }

  /** Whether a layer's attention reads the stream itself, and not a norm of it. */
  readsStream(layer: number): boolean {
    return this.graph.skip === 'stream' && this.graph.layers[layer].attentionNorm.kind === 'none'
  }

  /** Columns of queries' and keys' product that hold them once more, times the gains of their heads' norms. */
  get gainedColumns(): number {
    const { queryNorm, query, key } = this.graph.layers[0]
    return queryNorm ? query.outputs + key.outputs : 0
  }

  /** Columns of the first matrix of each block that carry on a stream that the norms make. */
  get residualColumns(): number {
    return this.graph.skip === 'normalised' ? this.spec.config.dim : 0
  }

  /**
   * Opens x, and 1/rms of every `run` of its columns beside it, of whole rows where nothing is said; `lift`, `weight` and
   * `ring` are what x's and the root's consumers want.
   */
  root(
    x: Share,
    w: NormWidths,
    o: { lift: number; weight?: number; ring: number; run?: number },
  ): { opened: Opened; root: Opened } {
    const { plan } = this
    const { eps } = this.spec.config
    const { run = x.width } = o
    const opened = open(plan, x, { bits: w.open, lift: Math.max(o.lift, w.square), weight: o.weight })
    this.checks.lifted(x, opened)
    const squares = sumSquares(plan, opened, w.square, run)
    const drop = squares.scale.bits - w.table.frac
    const sums = truncate(plan, squares, drop, w.square - drop, 'unsigned')
    const v = open(plan, sums, { bits: w.table.ring })
    this.checks.sums(sums, v, w.table)
    const root = openInverse(plan, v, {
      ...w.table,
      f: (y) => 1 / Math.sqrt(y / run + eps),
      degree: INVERSE_DEGREE,
      frac: w.rootFrac,
      basisBits: BASIS_BITS,
      bits: w.root,
      lift: o.ring,
    })
    return { opened, root }
  }

  /** x / rms(x), at the activations' scale, in a ring that is `room` bits wider than it takes. */
  normal(x: Share, w: NormWidths, largest: number, room = 0): { value: Share; bits: number } {
    const f = this.precision.activation
    const bits = normalBits(x.width, largest, this.precision) + room
    const drop = this.precision.residual + w.rootFrac - f
    const ring = bits + drop
    const { opened, root } = this.root(x, w, { lift: ring, ring })
    const terms = timesInverse(opened, root, inverseLevels(w.table), x.width)
    const wide = product(this.plan, terms, {
      width: x.width,
      ring,
      scale: fraction(this.precision.residual + w.rootFrac),
    })
    return { value: truncate(this.plan, wide, drop, bits), bits }
  }

  /** An opened liftable value times a weight. */
  liftedLinear(x: Opened, layer: number, role: MatrixRole, n: number, ring: number): Share {
    const weight = this.weight(layer, role, n)
    if (weight.visibility === 'public') return linearPublic(this.plan, lift(this.plan, x, ring), weight)
    if (weight.visibility === 'split') return linearSplit(this.plan, widenOpening(this.plan, x, ring), weight)
    return linearPrivate(this.plan, openLiftedToServer(this.plan, x, ring), weight)
  }

  /** A share in its product's own ring times a weight. */
  linear(x: Share, layer: number, role: MatrixRole, n: number): Share {
    const weight = this.weight(layer, role, n)
    if (weight.visibility === 'public') return linearPublic(this.plan, x, weight)
    if (weight.visibility === 'split')
      return linearSplit(this.plan, open(this.plan, x, { bits: x.ring }), weight)
    return linearPrivate(this.plan, openToServer(this.plan, x, weight.index), weight)
  }

  weight(layer: number, role: MatrixRole, n: number): WeightRef {
    const visibility = matrixVisibility(this.spec, layer, role)
    return {
      name: matrixName(layer, role),
      index: weightIndex(layer, role),
      n,
      scale: fraction(weightFrac(role, this.precision)),
      visibility: visibility === 'private' && this.spec.custody === 'split' ? 'split' : visibility,
    }
  }

  /** Adds a matrix's bias, where it has one: its own, or that of some of its columns. */
  biased(x: Share, layer: number, role: MatrixRole, name = matrixName(layer, role)): Share {
    if (!hasBias(this.spec.config, layer, role)) return x
    const { visibility } = this.weight(layer, role, x.width)
    return visibility === 'split' ? addSplitBias(this.plan, x, name) : addBias(this.plan, x, name)
  }
}
