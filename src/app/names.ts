/** What models and labels are called for people, from what their bundle says. */
import type { ModelListing, Task } from '../owner/api.ts'
import type { Key } from './language.ts'

const words = (slug: string): string => slug.replace(/[_-]+/g, ' ').trim()
const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

/** A bundle whose name is a folder's is called by its words: "banking77-lowbit" -> "Banking77 lowbit". */
export const modelName = ({ title }: Pick<ModelListing, 'title'>): string =>
  /\s/.test(title) ? title : capital(words(title))

/** "Refund_not_showing_up" -> "Refund not showing up"; a number by what the description calls it: "positive (1)". */
export function labelName(label: string, model: Pick<ModelListing, 'description'> | undefined): string {
  if (!/^\d+$/.test(label)) return words(label)
  const called = new RegExp(`(\\p{L}+) \\(${label}\\)`, 'u').exec(model?.description ?? '')?.[1]
  return called ? `${called} (${label})` : label
}

/** Whether a model says of itself that its answers are made up. */
export const isMadeUp = (model: Pick<ModelListing, 'description'> | undefined): boolean =>
  /\bmade up\b|\binvent(s|ed)\b/i.test(model?.description ?? '')

const tasks: readonly [Task, Key][] = [
  ['chat', 'models.chat'],
  ['classify', 'models.classify'],
]

/** Those that there are, by what they are for. */
export const byTask = (models: readonly ModelListing[]): { name: Key; models: ModelListing[] }[] =>
  tasks
    .map(([task, name]) => ({ name, models: models.filter((model) => (model.task ?? 'chat') === task) }))
    .filter(({ models }) => models.length > 0)
