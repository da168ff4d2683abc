/** What models are for. */
export const tasks = ['chat', 'classify'] as const

/** What a model is for. */
export type Task = (typeof tasks)[number]
