import { program } from '../../src/kernels/program.ts'
import type { PartyContext } from '../../src/protections/shared/context.ts'
import type { Plan, WeightUse } from '../../src/protections/shared/plan.ts'
import type { ProfiledModel } from '../../src/protections/shared/profiles/profile.ts'
import type { Lanes } from '../../src/protections/shared/ring.ts'
import { type Schedule, schedule } from '../../src/protections/shared/schedule.ts'
import { ModelPlans } from '../../src/protections/shared/session/model-plan.ts'
import { count, type Shape } from '../../src/protections/shared/shape.ts'
import type { Step } from '../../src/protections/shared/step.ts'
import { AttackError } from './error.ts'

/** `amount`, in the value's own scale, is added to the owner's share of each of the columns. */
export interface Nudge {
  readonly columns: readonly number[]
  readonly amount: number
}

/**
 * The plans of a modified data owner: it adds a number of its choice to its own share of the input of the model's last
 * private matrix, which adds that multiple of one of the matrix's rows to the product. Everything else is the real
 * protocol; no other party can tell.
 */
export class NudgedPlans extends ModelPlans {
  /** In force from the next message on. */
  nudge?: Nudge
  readonly #known = new Map<Plan, { plan: Plan; schedule: Schedule }>()

  constructor(model: ProfiledModel) {
    super(model)
    this.target(super.of({ base: 0, rows: 1 }).plan)
  }

  override of(shape: Pick<Shape, 'base' | 'rows' | 'goal'>): { plan: Plan; schedule: Schedule } {
    const honest = super.of(shape)
    let known = this.#known.get(honest.plan)
    if (!known) {
      const plan = this.#modified(honest.plan)
      known = { plan, schedule: schedule(plan) }
      this.#known.set(honest.plan, known)
    }
    return known
  }

  /** The last private matrix of a plan. Throws `AttackError` where there is none. */
  target(plan: Plan = this.anyPlan): WeightUse {
    const use = plan.weights.filter((w) => w.visibility !== 'public').at(-1)
    if (!use) throw new AttackError('The model has no private matrix: there is nothing to learn.')
    return use
  }

  #modified(plan: Plan): Plan {
    const { name } = this.target(plan)
    const product = plan.steps.find((s) => s.products?.server?.some((p) => p.weight === name))
    if (!product) throw new AttackError('The plan has no product with the private matrix.')
    const [input] = product.needs.server
    const carrier = plan.steps[input.step]
    const [source] = carrier.needs.owner
    // A value that was opened in a narrower ring first is changed where it was opened.
    const at = source.kind === 'opened' ? source.step : carrier.id
    const steps = plan.steps.map((step) => (step.id === at ? this.#nudged(step) : step))
    // Whoever reads a matrix wants what comes out, in range or not.
    return { ...plan, steps, alarms: [] }
  }

  #nudged(step: Step): Step {
    const { half, wire, out } = step
    if (!half || !wire) throw new AttackError(`Step ${step.id} (${step.op}) sends nothing.`)
    const { bits } = wire
    const opened = program<[Lanes]>((p) => [p.out(p.packed(bits))])
    const packed = program<[Uint8Array]>((p) => [p.pack(p.lanes(), bits)])
    const changed = (ctx: PartyContext): Uint8Array => {
      const sent = half.call(step, ctx)
      if (!this.nudge || ctx.role !== 'owner') return sent
      const n = count(ctx.shape, wire.layout, wire.width)
      const [lanes] = ctx.kernels.evaluate(opened, [sent], n)
      const amount = BigInt(Math.round(this.nudge.amount * 2 ** out.scale.bits))
      for (const column of this.nudge.columns) {
        const at = lanes.length - out.width + column
        lanes[at] = BigInt.asUintN(64, lanes[at] + amount)
      }
      return ctx.kernels.evaluate(packed, [lanes], n)[0]
    }
    return { ...step, half: changed }
  }
}
