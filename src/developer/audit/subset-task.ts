import type { Task } from '../finetune/task.ts'

/** A task that learns from some of another's examples; the weights and the held-out data are shared. */
export function subsetTask(task: Task, members: readonly number[]): Task {
  return {
    examples: members.length,
    trained: task.trained,
    gradient: (examples, options) =>
      task.gradient(
        Array.from(examples, (i) => members[i]),
        options,
      ),
    evaluate: (values) => task.evaluate(values),
    close: async () => undefined,
  }
}
