/** `sotto bench`: what the README's figures come from. The benches themselves live beside the sources, in `bench/`. */
export async function benchCommand(argv: string[]): Promise<void> {
  const { benchCommand: run } = await import('../../../bench/command.ts')
  await run(argv)
}
