/** Every command, and every command line that the documentation shows. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { CommandUnknownOpts } from '@commander-js/extra-typings'
import { describe, expect, test } from 'vitest'
import { Exit, UsageError } from './errors.ts'
import { commands, groups, programFor } from './program.ts'

const paths = [
  ...Object.keys(commands).map((name) => [name]),
  ...Object.entries(groups).flatMap(([group, { entries }]) =>
    Object.keys(entries).map((name) => [group, name]),
  ),
]

/** The command that words name, loaded, as part of the whole program; nothing is run. */
async function load(path: readonly string[]): Promise<CommandUnknownOpts> {
  let found = await programFor(path)
  for (const name of path) found = found.commands.find((one) => one.name() === name)!
  return found
}

describe.each(paths.map((path) => [path.join(' '), path] as const))('sotto %s', (_, path) => {
  test('explains itself and all its options', async () => {
    const command = await load(path)
    expect(command.description()).toMatch(/^[A-Z].*\.$/)
    for (const { flags, description } of command.options) expect(description, flags).not.toBe('')
    for (const argument of command.registeredArguments) expect(argument.description).not.toBe('')
    let shown = ''
    command.configureOutput({
      writeOut: (text) => {
        shown += text
      },
    })
    await expect(command.parseAsync(['--help'], { from: 'user' })).rejects.toMatchObject({ code: 0 })
    expect(shown).toContain(`Usage: sotto ${path.join(' ')} [options]`)
    for (const { long, hidden } of command.options) if (!hidden) expect(shown).toContain(long)
  })

  test('refuses an option that it has not, and names the nearest', async () => {
    const command = await load(path)
    const [{ long }] = command.options
    // A letter twice.
    const mistyped = long!.replace(/(.)$/, '$1$1')
    const parsing = command.parseAsync([mistyped, 'x'], { from: 'user' })
    await expect(parsing).rejects.toThrow(UsageError)
    await expect(parsing).rejects.toThrow(`unknown option '${mistyped}'`)
    await expect(parsing).rejects.toThrow(new RegExp(`Did you mean .*${long}\\b`))
    await expect(parsing).rejects.toMatchObject({ advice: `See sotto ${path.join(' ')} --help.` })
  })
})

/** Lines of code in a Markdown text that run `sotto`, without what the shell takes of them. */
function commandLines(markdown: string): string[] {
  const joined = markdown.replaceAll(/\\\n\s*/g, ' ')
  const fenced = [...joined.matchAll(/^```[^\n]*\n(.*?)^```/gms)].flatMap(([, code]) => code.split('\n'))
  return fenced.flatMap((line) => {
    const found = /^\s*(?:\$ )?(?:[A-Z_]+=\S+ )*(?:npx |node bin\/)?sotto(?:\.js)? (.*)$/.exec(line)?.[1]
    return found === undefined ? [] : [found.replace(/\s(#|&|[|<>]).*$/, '').trim()]
  })
}

const wordsOf = (line: string): string[] =>
  (line.match(/"[^"]*"|'[^']*'|\S+/g) ?? []).map((word) => word.replace(/^(["'])(.*)\1$/, '$2'))

describe('command lines of the documentation', () => {
  const root = fileURLToPath(new URL('../..', import.meta.url))
  const files = ['README.md', ...readdirSync(join(root, 'docs')).map((name) => join('docs', name))]
  const lines = files
    .filter((file) => file.endsWith('.md'))
    .flatMap((file) =>
      commandLines(readFileSync(join(root, file), 'utf8')).map((line) => [file, line] as const),
    )

  test('are found', () => {
    expect(lines.length).toBeGreaterThan(20)
    expect(commandLines('```sh\nA=b npx sotto serve \\\n  --key "a b" &  # x\n```')).toEqual([
      'serve  --key "a b"',
    ])
  })

  test.each(lines)('%s: sotto %s', async (_, line) => {
    // What a reader puts in their own words.
    const words = wordsOf(line)
      .map((word) => (/^<?[A-Z]+-KEY>?$|^KEY$/.test(word) ? 'A'.repeat(43) : word))
      .map((word) => (word === '$NONCE' ? '0'.repeat(64) : word))
    const depth = Object.hasOwn(groups, words[0]) ? 2 : words[0].startsWith('-') ? 0 : 1
    const path = words.slice(0, depth)
    expect([[], ...paths], line).toContainEqual(path)
    const command = await load(path)
    command.configureOutput({ writeOut: () => undefined })
    if (depth > 0) command.action(() => undefined)
    await command.parseAsync(words.slice(path.length), { from: 'user' }).catch((error) => {
      if (!(error instanceof Exit && error.code === 0)) throw error
    })
  })
})
