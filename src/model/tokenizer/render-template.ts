/** A stranger's Jinja template, run within bounds: it may be written to keep whoever runs it busy for ever. */
import { Environment, Interpreter, parse, Template, tokenize } from '@huggingface/jinja'

/** Characters of a template: the longest that are published have 20 thousand. */
const MAX_TEMPLATE = 1 << 16
/** Nodes of the template that are evaluated in one run, loops and macros included; published ones take some hundreds. */
const MAX_STEPS = 50_000
/** Characters of any text, and elements of any list, that come of one step. */
const MAX_CHARACTERS = 1 << 16
const MAX_ELEMENTS = 1 << 10

/** Characters of all that a run's steps come to, together. */
const MAX_MADE = 1 << 20
/** Of what filters put in for every place that they find: texts, and numbers of spaces. */
const MAX_INSERTED = 256
const MAX_INDENT = 16
/** Lists in lists. */
const MAX_DEPTH = 16

/** A template would take more than a conversation's marks do. */
export class TemplateLimit extends Error {
  override readonly name = 'TemplateLimit'
}

type Node = Parameters<Interpreter['evaluate']>[0]
type Value = ReturnType<Interpreter['evaluate']>
type Called = (args: Value[], ...rest: unknown[]) => Value

/** Characters that a value has when it is printed, about; what it holds twice counts twice. */
function sizeOf({ value }: { readonly value?: unknown }, depth = 0): number {
  if (typeof value === 'string') return value.length
  const inside = value instanceof Map ? [...value.values()] : value
  if (!Array.isArray(inside)) return 1
  if (depth > MAX_DEPTH) throw new TemplateLimit('The template nests too deep.')
  let size = 2
  for (const item of inside) {
    size += 2 + sizeOf(item as Value, depth + 1)
    if (size > MAX_CHARACTERS) throw new TemplateLimit('The template makes too large a list.')
  }
  return size
}

class BoundedInterpreter extends Interpreter {
  readonly #inserted: ReadonlySet<object>
  #steps = 0
  #made = 0

  constructor(environment: Environment, inserted: ReadonlySet<object>) {
    super(environment)
    this.#inserted = inserted
  }

  override evaluate(...[node, environment]: Parameters<Interpreter['evaluate']>): Value {
    if (++this.#steps > MAX_STEPS) throw new TemplateLimit('The template takes too many steps.')
    const result = super.evaluate(node, environment)
    const { value } = result
    if (Array.isArray(value) && value.length > MAX_ELEMENTS)
      throw new TemplateLimit('The template makes too long a list.')
    const size = sizeOf(result)
    this.#made += size
    if (size > MAX_CHARACTERS || this.#made > MAX_MADE)
      throw new TemplateLimit('The template makes too long a text.')
    // What these make of a text is in memory before anybody can look at it.
    if (node && this.#inserted.has(node)) checkInserted(result)
    if (result.type !== 'FunctionValue') return result
    const ends = stripped(node)
    if (ends) return stripping(result, this.evaluate(ends.object, environment), ends)
    return mayReplace(node) ? checked(result) : result
  }
}

/** What a step takes off which ends of what, if it does. */
function stripped(node: Node): { object: Node; start: boolean; end: boolean } | undefined {
  const { type, object, property } = node as { type: string; object: Node; property?: { value?: unknown } }
  const name = String(property?.value)
  if (type !== 'MemberExpression' || !/^[lr]?strip$/.test(name)) return undefined
  return { object, start: name !== 'rstrip', end: name !== 'lstrip' }
}

/** A text's own `strip`, which takes off the characters that it is given, as Python's does: the library takes off spaces always. */
function stripping(
  called: Value,
  { value: text }: Value,
  { start, end }: { start: boolean; end: boolean },
): Value {
  const kind = called.constructor as new (value: Called) => Value
  const call = called.value as Called
  return new kind((args, ...rest) => {
    const plain = call(args, ...rest)
    const characters: unknown = args.at(0)?.value
    if (typeof text !== 'string' || typeof characters !== 'string') return plain
    const isOff = (at: number): boolean => characters.includes(text[at])
    let [from, to] = [0, text.length]
    while (start && from < to && isOff(from)) from++
    while (end && to > from && isOff(to - 1)) to--
    const of = plain.constructor as new (value: string) => Value
    return new of(text.slice(from, to))
  })
}

function checkInserted(result: Value): void {
  const { value } = result
  if (sizeOf(result) > MAX_INSERTED || (typeof value === 'number' && !(value <= MAX_INDENT)))
    throw new TemplateLimit('The template puts in too long a text.')
}

/** Filters that put something in wherever they find a place for it. */
const inserting = new Set(['replace', 'join', 'tojson', 'indent'])

/** What the template gives such filters. Throws `TemplateLimit` where it can't be told before. */
function insertedBy(program: unknown): Set<object> {
  const found = new Set<object>()
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return
    const { type, filter } = node as {
      type?: string
      filter?: { callee?: { value?: unknown }; args?: object[] }
    }
    if ((type === 'FilterExpression' || type === 'FilterStatement') && filter?.args)
      if (inserting.has(String(filter.callee?.value))) for (const arg of filter.args) found.add(argument(arg))
    for (const child of Object.values(node)) visit(child)
  }
  visit(program)
  return found
}

function argument(arg: object): object {
  const { type, value } = arg as { type?: string; value?: unknown }
  if (type === 'SpreadExpression' || type === 'KeywordSpreadExpression')
    throw new TemplateLimit('The template’s filters get lists in place of arguments.')
  return type === 'KeywordArgumentExpression' ? (value as object) : arg
}

/** Whether a step may give a text's own `replace`; the ends of a slice that are left out are steps without a node. */
function mayReplace(node: Node | undefined): boolean {
  const { type, property } = (node ?? {}) as { type?: string; property?: { value?: unknown } }
  return type === 'MemberExpression' && (property?.value === undefined || property.value === 'replace')
}

/** A text's method that refuses arguments that make long texts of short ones. Throws `TemplateLimit`. */
function checked(called: Value): Value {
  const kind = called.constructor as new (value: Called) => Value
  const call = called.value as Called
  return new kind((args, ...rest) => {
    for (const arg of args.slice(0, 2)) checkInserted(arg)
    return call(args, ...rest)
  })
}

/** Numbers from `start` up to `stop`, or below the first where it is alone; as Python's, and as long as a list may be. */
function range(start: number, stop?: number, step = 1): number[] {
  const [from, to] = stop === undefined ? [0, start] : [start, stop]
  if (step === 0) throw new RangeError('range() step must not be zero')
  const count = Math.max(0, Math.ceil((to - from) / step))
  if (!(count <= MAX_ELEMENTS)) throw new TemplateLimit('The template makes too long a list.')
  return Array.from({ length: count }, (_, i) => from + i * step)
}

/** What templates find without being told, as in Transformers. */
const globals: Readonly<Record<string, unknown>> = {
  ...{ true: true, false: false, none: null, True: true, False: false, None: null },
  range,
  raise_exception: (why: string) => {
    throw new Error(why)
  },
  // The library formats dates within a template only.
  strftime_now: (format: string) => new Template('{{ strftime_now(format) }}').render({ format }),
}

/**
 * A template's renderer. Throws what the template does wrong, here or when it is run, and `TemplateLimit` where it takes too
 * long.
 */
export function boundedTemplate(source: string): (items: Readonly<Record<string, unknown>>) => string {
  if (source.length > MAX_TEMPLATE) throw new TemplateLimit('The template is too long.')
  const program = parse(tokenize(source, { lstrip_blocks: true, trim_blocks: true }))
  const inserted = insertedBy(program)
  return (items) => {
    const environment = new Environment()
    for (const [name, value] of Object.entries({ ...globals, ...items })) environment.set(name, value)
    return String(new BoundedInterpreter(environment, inserted).run(program).value)
  }
}
