/** Compiles a model's graph to a plan of the `lowbit` profile. */
import { add } from '../../ops/add.ts'
import { given } from '../../ops/given.ts'
import { lastRow } from '../../ops/last-row.ts'
import { narrow } from '../../ops/narrow.ts'
import { open } from '../../ops/open.ts'
import { release } from '../../ops/release.ts'
import { shiftUp } from '../../ops/shift-up.ts'
import type { Plan } from '../../plan.ts'
import { fraction } from '../../scale.ts'
import type { Share } from '../../values.ts'
import type { InputType } from '../input-type.ts'
import type { PlanOptions } from '../profile.ts'
import { attention } from './attention.ts'
import { type Blinded, Block, type ModelSpec } from './block.ts'
import { feedForward } from './feed-forward.ts'
import { weightIndex } from './matrices.ts'
import { divided, normalised, root } from './norm.ts'
import { STREAM_FRACTION } from './widths.ts'

/** The owner's normalised rows, in steps of 2^-x, four standard deviations to either side. */
export function inputOf({ config, quantization: q, widths: w }: ModelSpec): InputType {
  const most = 2 ** (q.x + 2)
  return { width: config.dim, ring: w.input, scale: fraction(q.x), range: [-most, most - 1] }
}

/** The plan of a pass whose rows see `seen` positions where they all see as many: see `encoder` and `decoder`. */
export function compileModel(spec: ModelSpec, options: PlanOptions, seen: number): Plan {
  const block = new Block(spec, options, seen)
  if (spec.form.isCausal) decoder(block)
  else encoder(block)
  return block.plan.finish()
}

/** Attention of a blinded row, and its product, at the stream's scale: mod 2^raw. */
function attended(block: Block, e: Blinded, layer: number): Share {
  const { widths: w, spec } = block
  const place = { layer, role: 'out' } as const
  const { product, outDrop } = w.attended
  const a = block.blind(attention(block, e, layer), place, product)
  return block.linear(a, place, spec.config.dim, product, outDrop)
}

/** x as the stream's next value. */
const asStream = ({ plan }: Block, x: Share): Share => shiftUp(plan, x, STREAM_FRACTION)

const last = (block: Block, layer: number, x: Share): Share =>
  block.isCut(layer) ? lastRow(block.plan, x) : x

/**
 * One norm a layer, of attention's output; the feed-forward block runs on the raw stream meanwhile, and its result is
 * divided behind it: without biases the block is homogeneous, so that is n + FFN(n), n = y / rms(y). A classifier's logits
 * are released, of the row of the first token, which comes last; otherwise every row as it is before its last norm, which
 * has no secrets.
 */
function encoder(block: Block): void {
  const { plan, widths: w, spec } = block
  const { config, form } = spec
  let x = given(plan, inputOf(spec))
  for (let layer = 0; layer < config.layers; layer++) {
    const isLast = layer === config.layers - 1
    const e = block.blind(x, { layer, role: 'qk' }, w.input)
    const up = { layer, role: 'up' } as const
    const y = narrowed(
      block,
      add(plan, narrowed(block, asStream(block, last(block, layer, x)), w.raw), attended(block, e, layer)),
      w.raw,
    )
    const isDivided = !isLast || form.labels !== undefined
    const ring = isLast ? w.head.product : w.root.product
    const whole = isDivided
      ? open(plan, y, {
          bits: w.raw,
          lift: Math.max(w.square, w.raw + 1),
          weight: spec.isSplit ? undefined : weightIndex(up),
        })
      : undefined
    const r = whole && root(block, whole, ring)
    const raw = whole ? block.opened(whole, w.up.product) : block.blind(y, up, w.up.product)
    const out = add(plan, narrow(plan, y, w.stream), feedForward(block, raw, layer))
    if (r) x = divided(block, out, r, ring)
    else release(plan, out)
  }
  if (form.labels !== undefined) classify(block, x, form.labels)
}

const narrowed = ({ plan }: Block, x: Share, ring: number): Share => narrow(plan, x, ring)

/** Logits of the last row, released. */
function classify(block: Block, x: Share, labels: number): void {
  const place = { layer: block.spec.config.layers, role: 'head' } as const
  const { ring } = block.widths.head
  release(block.plan, block.linear(block.blind(x, place, ring), place, labels, ring, 0))
}

/** Norms before blocks; the stream's last row is released before the final norm, which has no secrets. */
function decoder(block: Block): void {
  const { plan, widths: w, spec } = block
  const { config, form } = spec
  const x = given(plan, inputOf(spec))
  let y = narrow(plan, asStream(block, x), w.stream)
  for (let layer = 0; layer < config.layers; layer++) {
    const n = layer === 0 ? x : normalised(block, y)
    const e = block.blind(n, { layer, role: 'qk' }, w.input)
    const output = attended(block, e, layer)
    y = add(plan, last(block, layer, y), output)
    y = add(
      plan,
      y,
      feedForward(block, form.isParallel ? rowsOf(block, layer, e) : before(block, layer, y), layer),
    )
  }
  release(plan, y)
}

/** What a block beside attention reads. */
const rowsOf = (block: Block, layer: number, e: Blinded): Blinded =>
  block.isCut(layer) ? lastRow(block.plan, e) : e

/** What a block behind attention reads: a norm of its own. */
const before = (block: Block, layer: number, y: Share): Blinded =>
  block.blind(normalised(block, y), { layer, role: 'up' }, block.widths.up.product)
