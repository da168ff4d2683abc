/** A checkpoint's own chat template, run: what stands around the texts of a conversation. */
import { boundedTemplate } from './render-template.ts'
import type { SystemMarks, TurnMarks } from './turn-marks.ts'

interface Turn {
  role: 'system' | 'user' | 'assistant'
  content: string
}

/** Texts as good as any, that no template has in it. */
const words = ['qvzkq', 'wjxqw', 'zkvjz', 'xqjwx', 'vzqkv'] as const

/**
 * Runs a template (Jinja, as `apply_chat_template` of Transformers does) over short conversations, and reads from the result
 * what it puts around texts. `tokens` are the names that templates use: `bos_token`, `eos_token`.
 *
 * `undefined` where the template fails on plain questions and replies, takes long over them, or puts around them what depends on more than
 * whether a question is the first one.
 */
export function turnMarks(template: string, tokens: Readonly<Record<string, string>>): TurnMarks | undefined {
  try {
    return marksOf(boundedTemplate(template), tokens)
  } catch {
    // Whatever a stranger's template does wrong, it is then none that can be run.
    return undefined
  }
}

function marksOf(
  template: ReturnType<typeof boundedTemplate>,
  tokens: Readonly<Record<string, string>>,
): TurnMarks | undefined {
  const render = (texts: readonly string[], system?: string): string => {
    const turns: Turn[] = texts.map((content, i) => ({
      role: i % 2 === 0 ? 'user' : 'assistant',
      content,
    }))
    const messages = system === undefined ? turns : [{ role: 'system', content: system }, ...turns]
    return template({ ...tokens, messages, add_generation_prompt: true })
  }
  const one = around(render(words.slice(0, 1)), words.slice(0, 1))
  const two = around(render(words.slice(0, 3)), words.slice(0, 3))
  if (!one || !two) return undefined
  const [first, reply] = one
  const [, quoted, next] = two
  if (!quoted.startsWith(reply)) return undefined
  const lead = quoted.slice(reply.length)
  const [word] = words
  const trims = render([`  ${word}  `]) === `${first}${word}${reply}`
  const marks = { first, next, reply, lead, trims }
  // What was read must say every conversation, and not only those that it was read from.
  for (const texts of [words.slice(0, 1), words.slice(0, 3), words, [' a b\n', 'c\n\nd', 'e  ']])
    if (render(texts) !== conversation(marks, texts)) return undefined
  return { ...marks, system: systemMarksOf(marks, render) }
}

/** What stands around a system prompt; `undefined` where the template takes none, or does more with it. */
function systemMarksOf(
  marks: TurnMarks,
  render: (texts: readonly string[], system: string) => string,
): SystemMarks | undefined {
  const [said, word] = words
  try {
    const found = around(render([word], said), [said, word])
    if (!found || found[2] !== marks.reply) return undefined
    const [before, after] = found
    const trims = render([word], `  ${said}  `) === `${before}${said}${after}${word}${marks.reply}`
    const system = { before, after, trims }
    const withSystem = { ...marks, system }
    for (const texts of [words.slice(1, 4), [' a b\n', 'c\n\nd', 'e  ']])
      for (const prompt of [said, 'a\n\n b '])
        if (render(texts, prompt) !== conversation(withSystem, texts, prompt)) return undefined
    return system
  } catch {
    // Many refuse the role.
    return undefined
  }
}

/** What stands before, between and behind `texts`; `undefined` where one of them is not there exactly once, or out of order. */
function around(rendered: string, texts: readonly string[]): string[] | undefined {
  const parts: string[] = []
  let at = 0
  for (const text of texts) {
    const found = rendered.indexOf(text, at)
    if (found < 0) return undefined
    parts.push(rendered.slice(at, found))
    at = found + text.length
  }
  parts.push(rendered.slice(at))
  return parts.some((part) => texts.some((text) => part.includes(text))) ? undefined : parts
}

/** A conversation that ends with a question, up to where its reply begins; behind a system prompt, if there is one. */
export function conversation(marks: TurnMarks, texts: readonly string[], prompt?: string): string {
  const { system } = marks
  const opening =
    prompt === undefined || !system
      ? marks.first
      : `${system.before}${system.trims ? prompt.trim() : prompt}${system.after}`
  const parts = texts.map((text, i) => {
    const said = marks.trims ? text.trim() : text
    if (i % 2 === 1) return `${marks.lead}${said}`
    return `${i === 0 ? opening : marks.next}${said}${marks.reply}`
  })
  return parts.join('')
}
