import katex from 'katex'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { highlight } from './code.ts'
import { toHtml } from './markdown-html.ts'
import { formula } from './maths.ts'
import { Formatted, formatter } from './state/formatter.ts'

vi.mock('katex', () => ({ default: { render: vi.fn() } }))
const render = vi.mocked(katex.render)

afterEach(() => {
  vi.unstubAllGlobals()
  render.mockReset()
})

describe('what a model writes', () => {
  it.each(['*a_', '$', '$a', '!', '[', '<a', '*a*', '\\[', '`a'])('is no paragraph of marks: %s', (mark) => {
    const html = toHtml(`**one**\n\n${mark.repeat(13_000)}\n\n**two**`)
    expect(html).toMatch(/^<p><strong>one<\/strong><\/p>/)
    expect(html).toMatch(/<p><strong>two<\/strong><\/p>\n$/)
    expect(html.match(/<(?:em|a|code|img|del)\b/g)).toBeNull()
  })

  it('is formatted where it has the marks that people set', () => {
    expect(toHtml('*a* '.repeat(200).trim()).match(/<em>/g)).toHaveLength(200)
    const code = 'a_b[c] <= *d && e\n'.repeat(300)
    expect(toHtml(`\`\`\`c\n${code}\`\`\``)).toContain('data-language="c"')
  })

  it('is no formula that stands for megabytes, is long, or fills the stack', () => {
    vi.stubGlobal('document', { createElement: () => ({}) })
    const named = [
      '\\def\\a{x}\\a',
      '\\gdef\\a{x}',
      '\\newcommand{\\a}{x}',
      '\\let\\a=b',
      '\\renewcommand\\a{x}',
    ]
    for (const source of [...named, 'x'.repeat(1001)]) expect(formula(source, true), source).toBeUndefined()
    expect(render).not.toHaveBeenCalled()
    expect(formula('\\left(x\\right) \\leftarrow \\delta', true)).toBeDefined()
    render.mockImplementation(() => {
      throw new RangeError('Maximum call stack size exceeded')
    })
    expect(formula('x', false)).toBeUndefined()
  })

  it('is coloured while it is short, in lines and in all', () => {
    vi.stubGlobal('document', {
      createElement: () => ({ append: () => undefined }),
      createTextNode: (text: string) => text,
    })
    expect(highlight('let a = 1\n'.repeat(100), 'js')).toBeDefined()
    expect(highlight('a'.repeat(1001), 'js')).toBeUndefined()
    expect(highlight('a\n'.repeat(2501), 'js')).toBeUndefined()
  })

  it('shows as it was written where formatting it fails', () => {
    const plain = { append: (node: object) => node, appendChild: (node: object) => node, textContent: '' }
    vi.stubGlobal('document', { createDocumentFragment: () => plain, createElement: () => plain })
    formatter.set({
      render: () => {
        throw new RangeError('Maximum call stack size exceeded')
      },
    })
    formatter.format('>>>', new Formatted(), false)
    expect(plain.textContent).toBe('>>>')
  })
})
