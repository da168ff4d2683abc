/** What the page does with models. */
import type { ModelListing, Task } from '../../owner/api.ts'

/** What a person uses a model for. */
export const taskOf = ({ task }: Pick<ModelListing, 'task'>): Task =>
  task === 'classify' ? 'classify' : 'chat'

/** Those that the page has a use for: vectors of texts are for programs. */
export const forPage = (models: readonly ModelListing[]): ModelListing[] =>
  models.filter(({ task }) => task !== 'embed')
