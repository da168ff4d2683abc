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

test('ChatML', () => {
  const template =
    "{% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>' }}{% endfor %}"
  const { chat, ids } = formatOf(['<|im_start|>', '<|im_end|>'], {
    chat_template: template,
    eos_token: '<|im_end|>',
  })
  const [start] = ids('<|im_start|>')
  const [end] = ids('<|im_end|>')
  expect(chat).toEqual({
    template,
    bos: [],
    user: [start, ...ids('user'), ...ids('\n')],
    assistant: [start, ...ids('assistant'), ...ids('\n')],
    end: [end, ...ids('\n')],
    stop: [end],
  })
})

test('Llama 3, whose template is a file and whose stops are several', () => {
  const specials = [
    '<|begin_of_text|>',
    '<|start_header_id|>',
    '<|end_header_id|>',
    '<|eot_id|>',
    '<|end_of_text|>',
  ]
  const { chat, ids } = formatOf(
    specials,
    { bos_token: '<|begin_of_text|>', eos_token: { content: '<|end_of_text|>' } },
    {
      'chat_template.jinja': "{{ bos_token }}{{ '<|start_header_id|>' }}{{ '<|eot_id|>' }}",
      'generation_config.json': { eos_token_id: [260, 262] },
    },
  )
  expect(chat!.bos).toBe(ids('<|begin_of_text|>')[0])
  expect(chat!.end).toBe(ids('<|eot_id|>')[0])
  expect((chat!.user as number[]).slice(-3)).toEqual([
    ...ids('<|end_header_id|>'),
    ...ids('\n'),
    ...ids('\n'),
  ])
  expect(chat!.stop).toEqual([...new Set([...ids('<|eot_id|>'), ...ids('<|end_of_text|>'), 260, 262])])
})

test('several templates: the default one; turns that end with the end of the text', () => {
  const config = {
    chat_template: [
      { name: 'tool_use', template: 'x' },
      { name: 'default', template: "{{ '<|user|>\\n' + message['content'] + eos_token }}" },
    ],
    eos_token: '</s>',
  }
  const { chat, ids } = formatOf(['<|user|>', '<|assistant|>', '</s>'], config)
  expect(chat!.end).toEqual([...ids('</s>'), ...ids('\n')])
  expect(chat!.user).toEqual([...ids('<|user|>'), ...ids('\n')])
})

test.each<[string, object]>([
  ['no template', { bos_token: '<s>', eos_token: '</s>' }],
  [
    'a template of an unknown kind',
    { bos_token: '<s>', eos_token: '</s>', chat_template: '[INST] {{ x }} [/INST]' },
  ],
  [
    'a template whose marks are no tokens',
    { bos_token: '<s>', eos_token: '</s>', chat_template: '<|im_start|><|im_end|>' },
  ],
])('%s: the model continues a text', (_, config) => {
  const { chat, text, notes, ids } = formatOf(['<s>', '</s>'], config)
  expect(chat).toBeUndefined()
  expect(text).toEqual({ bos: ids('<s>')[0], stop: ids('</s>') })
  expect(notes.join()).toContain('continues a text')
})
