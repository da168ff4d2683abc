/** Every example runs as it stands, in a process of its own, and prints what it promises. */
import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const run = promisify(execFile)

/** What each of them prints, in order. */
const printed: Record<string, RegExp[]> = {
  'complete.ts': [
    /^user: {2}I need a hotel in Paris\.$/m,
    /^model: \w.*[.?!]$/m,
    /^ended by +(stop|length)$/m,
    /^computed under +Secret sharing/m,
    /^hops +[1-9]\d*$/m,
    /^dealer to server +[1-9]\d* bytes$/m,
  ],
  'classify-file.ts': [
    /^My new card has not arrived yet\. +card_arrival \(\d+ %\)$/m,
    /^Why was I charged .* +cash_withdrawal_charge \(\d+ %\)$/m,
    /^I forgot my passcode .* +passcode_forgotten \(\d+ %\)$/m,
    /^4 texts, \d+ hops, \d+ bytes sent to the server$/m,
  ],
  'compare-with-float.ts': [
    /^ +0 +(\d+) +\1 +0\.0\d+ +60 +\d+$/m,
    /^ +5 +(\d+) +\1 +0\.0\d+ +60 +\d+$/m,
    /^values out of range: 0; released values unlike the oracle's: 0$/m,
  ],
  'own-protection.ts': [
    /^Secret sharing, with a book$/m,
    /^model: \w+/m,
    /^ {2}[1-9]\d* tokens after 0, [1-9]\d+ bytes sent$/m,
    /^ {2}1 tokens after \d+, [1-9]\d+ bytes sent$/m,
  ],
}

const programs = readdirSync('examples').filter((file) => file.endsWith('.ts') && file !== 'parties.ts')

it('each has its expectations', () => {
  expect(programs.sort()).toEqual(Object.keys(printed).sort())
})

it.each(programs)('%s', async (file) => {
  const { stdout, stderr } = await run(process.execPath, [
    'node_modules/tsx/dist/cli.mjs',
    `examples/${file}`,
  ])
  expect(stderr).toBe('')
  let rest = stdout
  for (const line of printed[file]) {
    expect(rest).toMatch(line)
    rest = rest.slice(rest.search(line))
  }
})
