/** `sotto complete`: a data owner in the terminal. */
export async function completeCommand(_argv: string[]): Promise<void> {
  throw new Error('`sotto complete` is not in this build yet.')
}
