/** The command from end to end: three processes, a tiny model, and interruptions. */
import { spawn, spawnSync } from 'node:child_process'
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { program } from '../../test/support/built/path.ts'
import { writeTinyBundle } from '../../test/support/session/tiny-bundle.ts'
import { writeTinyClassifier } from '../../test/support/session/tiny-classifier.ts'

const labels = ['negative', 'neutral', 'positive']
let folder: string

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sotto-'))
  await writeTinyBundle(join(folder, 'models'), 'a-chat')
  await writeTinyClassifier(join(folder, 'models'), 'single', { head: { kind: 'classify', labels } })
  await writeTinyClassifier(join(folder, 'models'), 'pairs')
})
afterAll(() => rmSync(folder, { recursive: true }))

const classify = (input: string, ...args: string[]) =>
  spawnSync(process.execPath, [program(), 'classify', '--file', '-', '--models', 'models', ...args], {
    cwd: folder,
    encoding: 'utf8',
    input,
  })

const lines = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { label: string; probabilities: Record<string, number> })

const texts = ['a good film', 'the story was long and sad', 'I hated it', 'not bad but very short', 'funny']
const input = texts.map((text, at) => `${JSON.stringify({ text, label: at % 3 })}\n`).join('')

test('labels in private are those in clear, in order, and nothing else is said', () => {
  const secret = classify(input, '--model', 'single', '--json', '--summary')
  const clear = classify(input, '--model', 'models/single', '--protection', 'clear', '--json', '--summary')
  expect(secret).toMatchObject({ status: 0, stderr: '' })
  expect(clear).toMatchObject({ status: 0, stderr: '' })
  const [found, wanted] = [lines(secret.stdout), lines(clear.stdout)]
  const [a, b] = [found.pop(), wanted.pop()].map((last) => (last as unknown as { summary: object }).summary)
  expect(found).toHaveLength(texts.length)
  found.forEach(({ label, probabilities }, at) => {
    expect(label).toBe(wanted[at].label)
    expect(Object.keys(probabilities)).toEqual(labels)
    for (const name of labels) expect(probabilities[name]).toBeCloseTo(wanted[at].probabilities[name], 2)
  })
  const same = { texts: 5, labelled: 5, correct: expect.any(Number) as number }
  expect(a).toMatchObject({ ...same, model: 'single', protection: 'shared', link: 'ws' })
  expect(b).toMatchObject({ ...same, correct: (a as { correct: number }).correct, hops: 0 })
  expect((a as { hops: number }).hops).toBeGreaterThan(0)
})

test('the first model that labels is taken, and one of pairs reads pairs', () => {
  const pair = '{"text":"a good film","pair":"the film was good"}\n'
  const { status, stdout } = classify(pair, '--json')
  expect({ status, found: lines(stdout).length }).toEqual({ status: 0, found: 1 })
})

test.each([
  [['--model', 'single'], `${input}{"text":7}\n`, 1, 'Line 6 of the input has no "text"'],
  [['--model', 'pairs'], input, 1, 'Line 1 of the input has no "pair"'],
  [['--model', 'a-chat'], input, 2, 'has no labels to give'],
  [['--model', 'a-chatt', '--protection', 'clear'], input, 2, 'There is no model a-chatt in'],
  [['--model', 'single', '--server', 'http://localhost:1'], input, 2, 'belong together'],
])('%j explains itself', (args, text, status, message) => {
  expect(classify(text, ...args)).toMatchObject({
    status,
    stderr: expect.stringContaining(message),
    stdout: '',
  })
})

/** So many that a run is still under way long after it was seen to write. */
const LINES = 24

test('a run that was killed goes on behind its last complete line, once', async () => {
  const many = Array.from({ length: LINES }, (_, at) =>
    JSON.stringify({ text: `${texts[at % 5]} ${texts[at % 4]}` }),
  )
  writeFileSync(join(folder, 'many.jsonl'), many.join('\n'))
  const out = join(folder, 'labels.jsonl')
  const args = ['classify', '--model', 'models/single', '--file', 'many.jsonl', '--out', out]
  const start = () => spawn(process.execPath, [program(), ...args], { cwd: folder, stdio: 'ignore' })
  const written = (least: number) =>
    expect
      .poll(() => (existsSync(out) ? readFileSync(out, 'utf8').split('\n').length - 1 : 0), {
        timeout: 300_000,
      })
      .toBeGreaterThanOrEqual(least)
  const ended = (child: ReturnType<typeof start>) =>
    new Promise((resolve) => child.once('exit', (code, signal) => resolve(code ?? signal)))

  const killed = start()
  const [end] = [ended(killed), await written(2)]
  killed.kill('SIGKILL')
  expect(await end).toBe('SIGKILL')
  appendFileSync(out, '{"label":"posi')
  const before = readFileSync(out, 'utf8').split('\n').slice(0, -1)
  expect(before.length).toBeLessThan(LINES)

  const stopped = start()
  const [stop] = [ended(stopped), await written(before.length + 1)]
  stopped.kill('SIGINT')
  expect(await stop).toBe(130)

  const last = spawnSync(process.execPath, [program(), ...args], { cwd: folder, encoding: 'utf8' })
  expect(last).toMatchObject({ status: 0, stdout: '' })
  expect(last.stderr).toContain(` of ${LINES} lines already`)
  const text = readFileSync(out, 'utf8')
  expect(text.split('\n').slice(0, before.length)).toEqual(before)
  const clear = spawnSync(
    process.execPath,
    [program(), ...args.slice(0, -2), '--protection', 'clear', '--json'],
    {
      cwd: folder,
      encoding: 'utf8',
    },
  )
  expect(lines(text).map(({ label }) => label)).toEqual(lines(clear.stdout).map(({ label }) => label))

  const other = spawnSync(process.execPath, [program(), ...args, '--protection', 'clear'], {
    cwd: folder,
    encoding: 'utf8',
  })
  expect(other).toMatchObject({ status: 2, stderr: expect.stringContaining('another --protection') })
  expect(readFileSync(out, 'utf8')).toBe(text)
})
