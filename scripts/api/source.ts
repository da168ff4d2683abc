/** A source file, parsed: its statements, and the comments that stand before them. */
import { readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { parseSync } from 'vite'

type Program = ReturnType<typeof parseSync>['program']
export type Statement = Program['body'][number]
type Comment = ReturnType<typeof parseSync>['comments'][number]

/** Anything with a place in the text. */
export interface Span {
  readonly start: number
  readonly end: number
}

const known = new Map<string, Source>()

export class Source {
  readonly path: string
  readonly text: string
  readonly statements: readonly Statement[]
  readonly #comments: readonly Comment[]

  /** Throws where the file is not TypeScript. */
  private constructor(path: string) {
    this.path = path
    this.text = readFileSync(path, 'utf8')
    const { program, comments, errors } = parseSync(path, this.text)
    if (errors.length > 0) throw new SyntaxError(`${path}: ${errors[0].message}`)
    this.statements = program.body
    this.#comments = comments
  }

  /** @param path from the repository's root */
  static read(path: string): Source {
    const source = known.get(path) ?? new Source(path)
    known.set(path, source)
    return source
  }

  /** The file that an import in this one names. */
  imported(specifier: string): Source {
    if (!specifier.startsWith('.'))
      throw new RangeError(`${this.path} exports what is not ours: ${specifier}`)
    return Source.read(normalize(join(dirname(this.path), specifier)))
  }

  slice({ start, end }: Span): string {
    return this.text.slice(start, end)
  }

  /** The text of the doc comment that ends where this begins, without its asterisks; empty where there is none. */
  docOf(node: Span): string {
    const comment = this.#before(node)
    return comment?.type === 'Block' && comment.value.startsWith('*') ? plain(comment.value) : ''
  }

  /** That doc comment as it stands in the file. */
  rawDocOf(node: Span): string {
    const comment = this.#before(node)
    return comment?.type === 'Block' && comment.value.startsWith('*') ? this.slice(comment) : ''
  }

  /** The line comment on the line before, which heads what follows it. */
  headingOf(node: Span): string {
    const comment = this.#before(node)
    return comment?.type === 'Line' ? comment.value.trim() : ''
  }

  /** The comment at the top of the file. */
  get about(): string {
    const first = this.#comments.find(({ type }) => type === 'Block')
    return first ? plain(first.value) : ''
  }

  #before({ start }: Span): Comment | undefined {
    return this.#comments.findLast(
      (comment) => comment.end <= start && this.text.slice(comment.end, start).trim() === '',
    )
  }
}

const plain = (comment: string): string =>
  comment
    .replace(/^\*/, '')
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, ''))
    .join('\n')
    .trim()
