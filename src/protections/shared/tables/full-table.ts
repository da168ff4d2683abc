import { Rotations } from './rotations.ts'

/** f of every x in 0 .. 2^bits - 1, integers within +-2^53: a whole table, which masks rotate. */
export const fullTable = (bits: number, f: (x: number) => number): Rotations =>
  new Rotations({ shift: 0, entries: 2 ** bits, words: 1 }, (_, out) => {
    for (let x = 0; x < out.length; x++) out[x] = f(x)
  })
