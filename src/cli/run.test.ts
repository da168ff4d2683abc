/** Command lines that are wrong say how, and what to type instead. */
import { expect, test, vi } from 'vitest'
import { run } from './run.ts'

/** Of nobody. */
const key = 'A'.repeat(43)
const terminal = ['complete', '--prompt', 'x', '--dealer-key', key]

test.each([
  [['demmo'], '(Did you mean demo?)'],
  [['model', 'inspct'], '(Did you mean inspect?)'],
  [['constructor'], "unknown command 'constructor'"],
  [['serve', '--modls', 'x'], '(Did you mean --models?)'],
  [['serve', '--nonsense'], 'See sotto serve --help.'],
  [['model', 'inspect', '--nonsense'], 'See sotto model inspect --help.'],
  [['serve', 'extra'], 'too many arguments'],
  [['serve', '--dealer', 'http://localhost:1'], 'belong together'],
  [['serve', '--dealer', 'nonsense', '--dealer-key', key], 'is not a URL'],
  [['serve', '--dealer', 'http://far.example', '--dealer-key', key], 'not one of HTTPS'],
  [['serve', '--dealer', 'ws://far.example', '--dealer-key', key], 'not one of HTTPS'],
  [[...terminal, '--server', 'https://far.example', '--dealer', 'ws://far.example'], '(--dealer)'],
  [[...terminal, '--server', 'http://far.example', '--dealer', 'https://far.example'], '(--server)'],
  [['serve', '--dealer', 'http://localhost:1', '--dealer-key', 'x'], '43 characters'],
  [['complete', '--prompt', 'x', '--protection', 'fixed'], 'Allowed choices are shared, veiled, clear.'],
  [['deal'], 'Which model servers'],
  [['deal', '--allow', 'x'], '43 characters'],
  [['deal', '--allow-any', '--log-level', 'loud'], 'Allowed choices are trace, debug'],
  [['demo', '--models', 'nowhere'], 'There is no folder nowhere'],
  [['model', 'split', 'x'], "required option '--out <dir>' not specified"],
])('%j explains itself', async (words, message) => {
  const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  const printed = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
  const code = await run(words)
  const texts = [said, printed].map(({ mock }) => mock.calls.map(([text]) => String(text)).join(''))
  vi.restoreAllMocks()
  expect(code).toBe(2)
  expect(texts).toEqual([expect.stringContaining(message), ''])
})
