/** A stranger's Jinja template, run within bounds: it may be written to keep whoever runs it busy for ever. */
import { Environment, Interpreter, parse, Template, tokenize } from '@huggingface/jinja'

/** Characters of a template: the longest that are published have 20 thousand. */
const MAX_TEMPLATE = 1 << 16
/** Nodes of the template that are evaluated in one run, loops and macros included; published ones take some hundreds. */
const MAX_STEPS = 50_000
/** Characters of any text, and elements of any list, that come of one step. */
const MAX_CHARACTERS = 1 << 16
const MAX_ELEMENTS = 1 << 10

/** A template would take more than a conversation's marks do. */
export class TemplateLimit extends Error {
  override readonly name = 'TemplateLimit'
}

class BoundedInterpreter extends Interpreter {
  #steps = 0

  override evaluate(...node: Parameters<Interpreter['evaluate']>): ReturnType<Interpreter['evaluate']> {
    if (++this.#steps > MAX_STEPS) throw new TemplateLimit('The template takes too many steps.')
    const result = super.evaluate(...node)
    const { value } = result
    if (typeof value === 'string' && value.length > MAX_CHARACTERS)
      throw new TemplateLimit('The template makes too long a text.')
    if (Array.isArray(value) && value.length > MAX_ELEMENTS)
      throw new TemplateLimit('The template makes too long a list.')
    return result
  }
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
  return (items) => {
    const environment = new Environment()
    for (const [name, value] of Object.entries({ ...globals, ...items })) environment.set(name, value)
    return String(new BoundedInterpreter(environment).run(program).value)
  }
}
