/** The page of everything that the package exports, in Markdown. */
import { readFileSync } from 'node:fs'
import { declared, nameOf } from './declaration.ts'
import { Source } from './source.ts'

interface Entry {
  /** What a program imports. */
  readonly name: string
  readonly source: Source
}

interface Exported {
  readonly name: string
  readonly group: string
}

const entries = (): Entry[] => {
  const { name, exports } = JSON.parse(readFileSync('package.json', 'utf8')) as {
    name: string
    exports: Record<string, string>
  }
  return Object.entries(exports).map(([path, file]) => ({
    name: `${name}${path.slice(1)}`,
    source: Source.read(file.replace(/^\.\//, '')),
  }))
}

/** What an entry exports, in its order; a line comment in it heads a group. Throws unless it only passes on. */
function exportedBy({ source }: Entry): Exported[] {
  let group = ''
  return source.statements.flatMap((statement) => {
    if (statement.type !== 'ExportNamedDeclaration' || !statement.source)
      throw new SyntaxError(
        `${source.path} is an entry: it passes on names of other files, and has nothing of its own.`,
      )
    group = source.headingOf(statement) || group
    return statement.specifiers.map(({ exported }) => ({ name: nameOf(exported), group }))
  })
}

function section(entry: Entry): string {
  let group = ''
  const parts = exportedBy(entry).map(({ name, group: own }) => {
    const heading = own === group ? '' : `### ${own}\n\n`
    group = own
    const { source, doc, code } = declared(entry.source, name)
    const text = [
      doc && `${prose(doc)}\n`,
      `\`\`\`ts\n${code}\n\`\`\`\n`,
      `[${source.path}](../${source.path})\n`,
    ]
    return `${heading}#### ${name}\n\n${text.filter(Boolean).join('\n')}`
  })
  return `## ${entry.name}\n\n${entry.source.about}\n\n${parts.join('\n')}`
}

/** Tags become items of a list. */
const prose = (doc: string): string =>
  doc
    .replace(/\{@link (\w+)\}/g, '`$1`')
    .replace(/^@param (\w+)/gm, '- `$1`:')
    .replace(/^@(throws|returns)/gm, '- $1')

/** The whole page; `npm run api` writes it. */
export function apiPage(): string {
  const all = entries()
  const contents = all.map(
    (entry) => `- [${entry.name}](#${anchor(entry.name)}): ${exportedBy(entry).length} names`,
  )
  return `# What programs can import

Made by \`npm run api\` from the doc comments of what the entries in \`package.json\` export; [examples](../examples) use it.

${contents.join('\n')}

${all.map(section).join('\n')}`
}

/** Names that an entry exports and that no doc comment says anything of. */
export const undocumented = (): string[] =>
  entries().flatMap((entry) =>
    exportedBy(entry).flatMap(({ name }) => {
      const { source, doc } = declared(entry.source, name)
      return doc ? [] : [`${name} (${source.path})`]
    }),
  )

const anchor = (heading: string): string => heading.toLowerCase().replace(/[^\w-]/g, '')
