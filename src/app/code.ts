/** Code in colours: the tree of a highlighter as elements. No HTML is parsed on the way. */
import { common, createLowlight } from 'lowlight'

const lowlight = createLowlight(common)

type Tree = ReturnType<typeof lowlight.highlight>
type Child = Tree['children'][number]

/** Longest code that is coloured, and longest line: for some languages it takes time by the square of either. */
const LIMIT = 5000
const LINE_LIMIT = 1000

function node(child: Child): Node {
  if (child.type === 'text') return document.createTextNode(child.value)
  const span = document.createElement('span')
  if (child.type !== 'element') return span
  const { className } = child.properties
  if (Array.isArray(className)) span.className = className.join(' ')
  span.append(...child.children.map((each) => node(each)))
  return span
}

/** The elements of `code`; nothing where the language is not known, or the code too long. */
export function highlight(code: string, language: string): Node[] | undefined {
  const isLong = code.length > LIMIT || code.split('\n').some((line) => line.length > LINE_LIMIT)
  if (isLong || !lowlight.registered(language)) return undefined
  try {
    return lowlight.highlight(language, code).children.map(node)
  } catch {
    // Nested too deep.
    return undefined
  }
}
