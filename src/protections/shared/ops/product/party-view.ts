/** A party's share of a sum of products of opened values, as one program over the output's columns. */
import { type Operand, type ProgramBuilder, program, type Value } from '../../../../kernels/program.ts'
import type { PartyContext } from '../../context.ts'
import { sharedBits } from '../../correlations/correlations.ts'
import type { Slot } from '../../dealt.ts'
import type { Lanes } from '../../ring.ts'
import { type Layout, rowsOf } from '../../shape.ts'
import type { Opened, Role } from '../../values.ts'
import { lifted, liftedOperands } from '../parts/lifting.ts'
import { maskBits } from '../parts/operands.ts'
import { type Coefficient, coefficient, type Pass, partOf, type View } from './factor-lanes.ts'
import { columns, type Factor, type Monomial, type Term } from './monomials.ts'

/** A factor of a contribution: a value of the program, or lanes for each run of columns, known when it runs. */
type Part = Value | ((pass: Pass) => Lanes)

/** Contributions with the same values of the program: these times the sum of the coefficients. */
interface Sum {
  readonly values: readonly Value[]
  readonly run: number
  readonly coefficients: Coefficient[]
}

/** Columns in a row that share the factors that repeat most. */
const runOf = (term: Term): number => Math.max(...term.map((f) => f.repeat ?? 1))

/** Builds the program; `operands` say what each run of it is given. */
class Builder {
  readonly operands: ((pass: Pass) => Operand[])[] = []
  readonly #p: ProgramBuilder
  readonly #role: Role
  readonly #width: number
  readonly #sums = new Map<string, Sum>()
  readonly #whole = new Map<Opened, View<Value>>()

  constructor(p: ProgramBuilder, role: Role, width: number) {
    this.#p = p
    this.#role = role
    this.#width = width
  }

  /**
   * Adds one term. Factors that repeat enter by runs of columns, so that all of a run's arithmetic that no wide factor
   * takes part in is done once.
   */
  add(term: Term, monos: readonly Monomial[]): void {
    const run = runOf(term)
    const views: View<Part>[] = term.map((f) =>
      run > 1 && f.repeat === run ? this.#byRuns(f) : this.#wide(f),
    )
    const publics = (except: readonly number[]): Part[] =>
      views.flatMap(({ pub }, k) => (except.includes(k) ? [] : [pub]))
    if (this.#role === 'server') this.#contribute(run, 1n, publics([]))
    for (const [k, { share }] of views.entries()) this.#contribute(run, 1n, [share, ...publics([k])])
    for (const { secrets, slot, repeat } of monos) {
      const isNegative = secrets.filter((s) => s.part === 'rho').length % 2 === 1
      const tops = secrets.filter((s) => s.part === 'top').map((s) => s.factor)
      const bits = tops.reduce((sum, k) => sum + term[k].value.ring, 0)
      const scale = (isNegative ? -1n : 1n) << BigInt(bits)
      const wraps = tops.flatMap((k) => views[k].wrap ?? [])
      const rest = publics(secrets.map((s) => s.factor))
      this.#contribute(run, scale, [this.#dealt(slot, repeat, run), ...wraps, ...rest])
    }
  }

  /** The sum of all terms. */
  total(): Value {
    const p = this.#p
    let total: Value | undefined
    for (const { values, run, coefficients } of this.#sums.values()) {
      const factors = [...values]
      let scale = 1n
      if (coefficients.every(({ runs }) => runs.length === 0))
        scale = coefficients.reduce((sum, c) => sum + c.scale, 0n)
      else factors.push(this.#operand(p.runs(run), (pass) => [coefficient(pass, coefficients)]))
      const product = p.times(
        factors.reduce((x, y) => p.mul(x, y)),
        scale,
      )
      total = total ? p.add(total, product) : product
    }
    if (!total) throw new RangeError('a product of nothing')
    return total
  }

  #contribute(run: number, scale: bigint, parts: readonly Part[]): void {
    const values = parts.filter((part) => typeof part !== 'function').sort((x, y) => x.node - y.node)
    const runs = parts.filter((part) => typeof part === 'function')
    const name = [run, ...values.map((v) => v.node)].join(' ')
    const sum = this.#sums.get(name) ?? { values, run, coefficients: [] }
    this.#sums.set(name, sum)
    sum.coefficients.push({ scale, runs })
  }

  #byRuns(f: Factor): View<Part> {
    const over = (part: keyof View<Lanes>) => (pass: Pass) =>
      columns(f, partOf(pass, f.value, part), pass.rows, this.#width, f.repeat ?? 1)
    return { pub: over('pub'), share: over('share'), wrap: f.value.lift > 0 ? over('wrap') : undefined }
  }

  #wide(f: Factor): View<Value> {
    const { value, from = 0, repeat = 1 } = f
    if (from > 0 || repeat > 1 || value.width !== this.#width) return this.#columns(f)
    const view = this.#whole.get(value) ?? this.#lanes(value)
    this.#whole.set(value, view)
    return view
  }

  /** Some columns of a value, or all of them several times. */
  #columns(f: Factor): View<Value> {
    const over = (part: keyof View<Lanes>): Value =>
      this.#operand(this.#p.lanes(), (pass) => [
        columns(f, partOf(pass, f.value, part), pass.rows, this.#width, 1),
      ])
    return { pub: over('pub'), share: over('share'), wrap: f.value.lift > 0 ? over('wrap') : undefined }
  }

  /** A value as it is. */
  #lanes(value: Opened): View<Value> {
    const p = this.#p
    if (value.lift > 0) {
      this.operands.push(({ ctx }) => liftedOperands(ctx, value))
      return lifted(p, value, this.#role)
    }
    return {
      pub: this.#operand(p.lanes(), ({ ctx }) => [ctx.get(value)]),
      share: this.#operand(p.packed(maskBits(value)), ({ ctx }) => [ctx.maskWords(value)]),
    }
  }

  #dealt(slot: Slot, repeat: number, run: number): Part {
    const p = this.#p
    if (repeat === run && run > 1) return ({ ctx, id }) => ctx.correlation(id, slot)
    if (repeat > 1) return this.#operand(p.runs(repeat), ({ ctx, id }) => [ctx.correlation(id, slot)])
    return this.#operand(p.packed(sharedBits(this.#role, slot)), ({ ctx, id }) => [ctx.packed(id, slot)])
  }

  #operand(value: Value, read: (pass: Pass) => Operand[]): Value {
    this.operands.push(read)
    return value
  }
}

/** The party's view of step `id`: rows x width, mod 2^ring. `monos` are those of each term. */
export function partyProduct(
  terms: readonly Term[],
  monos: readonly (readonly Monomial[])[],
  type: { layout: Layout; width: number; ring: number },
  role: Role,
): (ctx: PartyContext, id: number) => Lanes {
  const { layout, width, ring } = type
  const operands: Builder['operands'] = []
  const p = program<[Lanes]>((p) => {
    const builder = new Builder(p, role, width)
    for (const [t, term] of terms.entries()) builder.add(term, monos[t])
    const total = p.reduce(builder.total(), ring)
    operands.push(...builder.operands)
    return [p.out(total)]
  })
  return (ctx, id) => {
    const pass: Pass = { ctx, id, rows: rowsOf(ctx.shape, layout), views: new Map() }
    return ctx.kernels.evaluate(
      p,
      operands.flatMap((read) => read(pass)),
      pass.rows * width,
    )[0]
  }
}
