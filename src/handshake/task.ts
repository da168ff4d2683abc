/** What a person uses a model for, in the page. */
const pageTasks = ['chat', 'classify'] as const

/** What models are for: programs alone have a use for vectors of texts (`embed`). */
export const servedTasks = [...pageTasks, 'embed'] as const

/** What a person uses a model for, in the page. */
export type Task = (typeof pageTasks)[number]

/** What a model is for. */
export type ServedTask = (typeof servedTasks)[number]
