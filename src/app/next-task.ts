/** Resolves in a task of its own, before which the browser may paint and handle input. */
export const nextTask = (): Promise<void> => new Promise((resolve) => setTimeout(resolve))
