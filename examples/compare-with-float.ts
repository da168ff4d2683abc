/**
 * How far private inference is from the float model: owner, server and dealer run passes with real shares in this process,
 * and every released row is compared with the float reference and with the integer oracle.
 *
 *   npx tsx examples/compare-with-float.ts
 */
import { loadBundle } from 'sotto/node'
import { Ends, floatModel, LocalParties, modelPlans } from 'sotto/protections/shared'

const { manifest, tensors } = await loadBundle('models/sotto-demo')
const ends = new Ends(manifest.config, tensors)
const float = floatModel(manifest.config, tensors)
const parties = new LocalParties(modelPlans(manifest).model, tensors)

const likeliest = (logits: ArrayLike<number>): number =>
  Array.from(logits).reduce((best, value, i, all) => (value > all[best] ? i : best), 0)

process.stdout.write('position  private token  float token  largest error  hops  bytes\n')
let id = manifest.chat?.stop[0] ?? 0
let [outOfRange, unlikeOracle] = [0, 0]
for (let position = 0; position < 6; position++) {
  const pass = await parties.pass(position, ends.embed([id], position))
  const [got, want] = [ends.logits(pass.released), float.forward([id])]

  // The oracle runs the same plan on plain integers: the parties must agree with it in every bit.
  const { pass: plain, violations } = parties.oracle(pass)
  const { out } = pass.plan.steps[pass.plan.steps.length - 1]
  const ours = pass.owner.get(out)
  outOfRange += violations.length
  unlikeOracle += plain.get(out).filter((value, i) => value !== ours[i]).length

  const error = got.reduce((most, value, i) => Math.max(most, Math.abs(value - want[i])), 0)
  const columns = [
    [position, 8],
    [likeliest(got), 15],
    [likeliest(want), 13],
    [error.toFixed(4), 15],
    [pass.schedule.hops, 6],
    [pass.upBytes + pass.downBytes, 7],
  ] as const
  process.stdout.write(`${columns.map(([value, width]) => String(value).padStart(width)).join('')}\n`)
  id = likeliest(want)
}
process.stdout.write(
  `\nvalues out of range: ${outOfRange}; released values unlike the oracle's: ${unlikeOracle}\n`,
)
