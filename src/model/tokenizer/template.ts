/** A checkpoint's own chat template, run: what stands around the texts of a conversation. */
import { boundedTemplate } from './render-template.ts'
import { quoted, quotings, type SystemMarks, type TurnMarks } from './turn-marks.ts'

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
  const render: Render = (texts, prompt) => {
    const turns: Turn[] = texts.map((content, i) => ({
      role: i % 2 === 0 ? 'user' : 'assistant',
      content,
    }))
    const messages = prompt === undefined ? turns : [{ role: 'system', content: prompt }, ...turns]
    return template({ ...absent, ...tokens, messages, add_generation_prompt: true })
  }
  const one = around(render(words.slice(0, 1)), words.slice(0, 1))
  const two = around(render(words.slice(0, 3)), words.slice(0, 3))
  if (!one || !two) return undefined
  const [first, asked] = one
  const [, said, next] = two
  const reply = common(asked, said)
  const marksAround = {
    first,
    next,
    reply,
    lead: said.slice(reply.length),
    opening: asked.slice(reply.length),
  }
  // What was read must say every conversation, and not only those that it was read from.
  const says = (marks: TurnMarks, some: readonly (readonly string[])[]): boolean =>
    some.every((texts) => render(texts) === conversation(marks, texts))
  const candidates = (['whole', 'trimmed', 'trimmed behind'] as const)
    .flatMap((question) => quotings.map((answer): TurnMarks => ({ ...marksAround, question, answer })))
    .filter((marks) => says(marks, plain))
  const marks = candidates.find((each) => says(each, thoughtful)) ?? candidates[0]
  return marks && { ...marks, system: systemMarksOf(marks, render) }
}

/** A conversation as the template has it, behind a system prompt if there is one. */
type Render = (texts: readonly string[], prompt?: string) => string

/** What stands around a system prompt; `undefined` where the template takes none, or does more with it. */
function systemMarksOf(marks: TurnMarks, render: Render): SystemMarks | undefined {
  const [said, word] = words
  try {
    const found = around(render([word], said), [said, word])
    if (!found || found[2] !== marks.reply + marks.opening) return undefined
    const [before, after] = found
    return (['whole', 'trimmed'] as const)
      .map((prompt): SystemMarks => ({ before, after, prompt }))
      .find((system) =>
        plain.every((texts) =>
          [said, ' a\n\n b '].every(
            (prompt) => render(texts, prompt) === conversation({ ...marks, system }, texts, prompt),
          ),
        ),
      )
  } catch {
    // Many refuse the role.
    return undefined
  }
}

/** Conversations that a template must say, and those with thoughts, which some leave out. */
const plain = [
  words.slice(0, 1),
  words.slice(0, 3),
  words,
  [' a b\n', 'c\n\nd', 'e  '],
  ['a', ' b ', 'c'],
] as const
const thoughtful = [
  ['a', '<think>\nb c\n</think>\n\n d\n', 'e'],
  ['a', '\nb', 'c', '</think>d ', 'e'],
] as const

/** What Transformers says of what is not there. */
const absent = { tools: null, documents: null }

/** What two texts begin with, both of them. */
function common(a: string, b: string): string {
  let length = 0
  while (length < a.length && a[length] === b[length]) length++
  return a.slice(0, length)
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

/** A conversation that ends with a question, up to where its reply begins; behind a system prompt, where one is taken. */
export function conversation(marks: TurnMarks, texts: readonly string[], prompt?: string): string {
  const { system } = marks
  const first =
    prompt === undefined || !system
      ? marks.first
      : `${system.before}${quoted(system.prompt, prompt)}${system.after}`
  const parts = texts.map((text, i) => {
    if (i % 2 === 1) return `${marks.lead}${quoted(marks.answer, text)}`
    return `${i === 0 ? first : marks.next}${quoted(marks.question, text)}${marks.reply}`
  })
  return `${parts.join('')}${marks.opening}`
}
