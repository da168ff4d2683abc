import { rmSync } from 'node:fs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { byteLevelJson, newFolder, smallConfigs, writeFolder } from '../../test/support/checkpoint-folder.ts'
import { textFormat } from './chat-format.ts'

let dir: string
beforeEach(() => {
  dir = newFolder()
})
afterEach(() => rmSync(dir, { recursive: true }))

/** The format of a model with these special tokens and this configuration of its tokenizer. */
function formatOf(specials: string[], config: object, more: Record<string, object | string> = {}) {
  const tokenizer = byteLevelJson(specials)
  writeFolder(dir, {
    config: smallConfigs.llama,
    files: { 'tokenizer.json': tokenizer, 'tokenizer_config.json': config, ...more },
  })
  const ids = (text: string): number[] =>
    [...(specials.includes(text) ? [text] : text)].map(
      (mark) => tokenizer.model.vocab[mark.replace('\n', 'Ċ')],
    )
  return { ...textFormat(dir, tokenizer), ids }
}

const chatml =
  "{% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"

test('a template that runs makes a chat, with what it calls by name', () => {
  const { chat, notes, ids } = formatOf(['<|im_start|>', '<|im_end|>'], {
    chat_template: chatml,
    eos_token: { content: '<|im_end|>' },
    bos_token: null,
    model_max_length: 5,
  })
  expect(notes).toEqual([])
  expect(chat).toEqual({ template: chatml, tokens: { eos_token: '<|im_end|>' }, stop: ids('<|im_end|>') })
})

test('a template may be a file; stops are several, and the one that the template uses', () => {
  const { chat, ids } = formatOf(
    ['<|im_start|>', '<|im_end|>', '<|end_of_text|>'],
    { eos_token: '<|end_of_text|>' },
    { 'chat_template.jinja': chatml, 'generation_config.json': { eos_token_id: [40, 260] } },
  )
  expect(chat!.stop).toEqual([...new Set([...ids('<|im_end|>'), ...ids('<|end_of_text|>'), 40, 260])])
})

test('of several templates, the default one', () => {
  const config = {
    chat_template: [
      { name: 'tool_use', template: 'x' },
      { name: 'default', template: chatml },
    ],
  }
  expect(formatOf(['<|im_start|>', '<|im_end|>'], config).chat!.template).toBe(chatml)
})

test.each<[string, object]>([
  ['no template', {}],
  ['a template without messages', { chat_template: '[INST] {{ x }} [/INST]' }],
  ['a template that refuses', { chat_template: "{{ raise_exception('never') }}" }],
  ['a template that is none', { chat_template: '{% for' }],
])('%s: the model continues a text', (_, config) => {
  const { chat, text, notes, ids } = formatOf(['<s>', '</s>'], {
    bos_token: '<s>',
    eos_token: '</s>',
    ...config,
  })
  expect(chat).toBeUndefined()
  expect(text).toEqual({ bos: ids('<s>')[0], stop: ids('</s>') })
  expect(notes.join()).toContain('continues a text')
})

test('whether a text begins with a mark is as the files say', () => {
  const ends = { bos_token: '<s>', eos_token: '</s>' }
  expect(formatOf(['<s>', '</s>'], { ...ends, add_bos_token: false }).text).not.toHaveProperty('bos')
  expect(formatOf(['<s>', '</s>'], { ...ends, add_bos_token: true }).text).toHaveProperty('bos')
})
