/** The dealer's view of a product: true values of its monomials, from the masks of its factors. */
import { type Program, program, type Value } from '../../../../kernels/program.ts'
import type { DealContext } from '../../context.ts'
import type { Lanes } from '../../ring.ts'
import { rowsOf } from '../../shape.ts'
import { columns, type Factor, type Monomial, type Term } from './monomials.ts'

/** Monomials whose columns repeat alike, as one program over the masks of their factors. */
interface Batch {
  readonly factors: readonly Factor[]
  readonly program: Program<Lanes[]>
  readonly repeat: number
  /** The monomials' places among the term's. */
  readonly places: readonly number[]
}

function batch(term: Term, monos: readonly Monomial[], repeat: number): Batch {
  const places = [...monos.keys()].filter((i) => monos[i].repeat === repeat)
  const used = [...new Set(places.flatMap((i) => monos[i].secrets.map((s) => s.factor)))]
  const made = program<Lanes[]>((p) => {
    const secrets = new Map<string, Value>()
    for (const k of used) {
      const { value, repeat: own = 1 } = term[k]
      const a = p.runs(own / repeat)
      secrets.set(`mask${k}`, a)
      if (value.lift === 0) continue
      const rho = p.reduce(p.from(0n, a), value.ring)
      secrets.set(`rho${k}`, rho)
      secrets.set(`top${k}`, p.shr(rho, value.ring - 1))
    }
    return places.map((i) => {
      const [first, ...rest] = monos[i].secrets.map((s) => secrets.get(`${s.part}${s.factor}`) as Value)
      return p.out(rest.reduce((x, y) => p.mul(x, y), first))
    })
  })
  return { factors: used.map((k) => term[k]), program: made, repeat, places }
}

/** True values of the monomials of one term, as a function of the masks. */
export function dealer(term: Term, monos: readonly Monomial[], width: number): (ctx: DealContext) => Lanes[] {
  const batches = [...new Set(monos.map((m) => m.repeat))].map((repeat) => batch(term, monos, repeat))
  return (ctx) => {
    const out: Lanes[] = []
    for (const { factors, program: p, repeat, places } of batches) {
      const rows = rowsOf(ctx.shape, term[0].value.layout)
      const masks = factors.map((f) => columns(f, ctx.mask(f.value), rows, width, f.repeat ?? 1))
      const found = ctx.kernels.evaluate(p, masks, (rows * width) / repeat)
      for (const [k, i] of places.entries()) out[i] = found[k]
    }
    return out
  }
}
