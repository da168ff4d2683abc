import type { Task } from '../finetune/task.ts'

/** A task that learns from some of another's examples. Audits judge finished models only, so nothing is measured on the way. */
export function subsetTask(task: Task, members: readonly number[]): Task {
  return {
    examples: members.length,
    trained: task.trained,
    gradient: (examples, options) =>
      task.gradient(
        Array.from(examples, (i) => members[i]),
        options,
      ),
    evaluate: async () => ({ loss: Number.NaN }),
    close: async () => undefined,
  }
}
