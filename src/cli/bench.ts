/** `sotto bench`: what the README's figures come from. */
export async function benchCommand(_argv: string[]): Promise<void> {
  throw new Error('`sotto bench` is not in this build yet.')
}
