/** Questions on collages of garments, and their answers. */
import type { PredictableRandom } from '../../src/model/random.ts'
import { places } from './collage.ts'

/** A garment in words. */
interface Words {
  readonly one: string
  readonly many: string
}

const plain = (name: string, many = `${name}s`): Words => ({ one: `a ${name}`, many })

/** In the order of the classes' numbers. */
const words: readonly Words[] = [
  plain('t-shirt'),
  { one: 'trousers', many: 'trousers' },
  plain('pullover'),
  plain('dress', 'dresses'),
  plain('coat'),
  plain('sandal'),
  plain('shirt'),
  plain('sneaker'),
  plain('bag'),
  plain('boot'),
]

const numbers = ['none', 'one', 'two', 'three', 'four']

export const questionKinds = ['place', 'count', 'presence', 'where', 'all'] as const
export type QuestionKind = (typeof questionKinds)[number]

export interface Question {
  readonly kind: QuestionKind
  readonly question: string
  readonly answer: string
}

/** a, b and c. */
const listed = (parts: readonly string[]): string =>
  parts.length === 1 ? parts[0] : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`

/** "the coat", or "trousers" without an article. */
const named = (garment: number): string => words[garment].one.replace(/^a /, 'the ')

const wordings: Record<QuestionKind, readonly ((about: string) => string)[]> = {
  place: [(place) => `what is at the ${place}?`, (place) => `what do you see at the ${place}?`],
  count: [(many) => `how many ${many} are there?`, (many) => `how many ${many}?`],
  presence: [(one) => `is there ${one}?`, (one) => `do you see ${one}?`],
  where: [(one) => `where is ${one}?`],
  all: [() => 'what do you see?', () => 'describe the picture.'],
}

/** Half of the garments asked for are there, whatever chance says. */
function garmentToAskFor(labels: readonly number[], random: PredictableRandom): number {
  return random.below(2) === 0 ? labels[random.below(labels.length)] : random.below(words.length)
}

/** A question of the kind, in one of its wordings. `labels` are the garments' classes, place by place. */
export function ask(kind: QuestionKind, labels: readonly number[], random: PredictableRandom): Question {
  const forms = wordings[kind]
  const form = forms[random.below(forms.length)]
  if (kind === 'all') {
    return { kind, question: form(''), answer: `${listed(labels.map((label) => words[label].one))}.` }
  }
  if (kind === 'place') {
    const place = random.below(places.length)
    return { kind, question: form(places[place]), answer: `${words[labels[place]].one}.` }
  }
  const garment = garmentToAskFor(labels, random)
  const found = places.filter((_, i) => labels[i] === garment)
  if (kind === 'count')
    return { kind, question: form(words[garment].many), answer: `${numbers[found.length]}.` }
  if (kind === 'presence')
    return { kind, question: form(words[garment].one), answer: found.length > 0 ? 'yes.' : 'no.' }
  const answer = found.length === 0 ? 'nowhere.' : `at the ${listed(found)}.`
  return { kind, question: form(named(garment)), answer }
}
