import { expect, test } from 'vitest'
import { makeLog } from './common.ts'
import { LogDrain, type Sink } from './log-drain.ts'

type Done = Parameters<Sink['write']>[1]

/** Takes what it is given only when a test says so. */
class SlowSink implements Sink {
  text = ''
  #asked: { bytes: Uint8Array; done: Done } | undefined

  write(bytes: Uint8Array, done: Done): void {
    expect(this.#asked).toBeUndefined()
    this.#asked = { bytes, done }
  }

  writeNow(bytes: Uint8Array): void {
    this.text += Buffer.from(bytes).toString()
  }

  get isAsked(): boolean {
    return this.#asked !== undefined
  }

  take(most = Number.POSITIVE_INFINITY): void {
    const asked = this.#asked
    this.#asked = undefined
    if (!asked) return
    const written = Math.min(most, asked.bytes.length)
    this.writeNow(asked.bytes.subarray(0, written))
    asked.done(null, written)
  }

  fail(code: string): void {
    const asked = this.#asked
    this.#asked = undefined
    asked?.done(Object.assign(new Error(code), { code }), 0)
  }
}

test('lines arrive whole and in order, however few bytes are taken at a time', () => {
  const sink = new SlowSink()
  const drain = new LogDrain(sink)
  for (let n = 0; n < 5; n++) drain.write(`line ${n}\n`)
  while (sink.isAsked) sink.take(3)
  expect(sink.text).toBe('line 0\nline 1\nline 2\nline 3\nline 4\n')
})

test('a reader that stalls costs bounded memory, and hears how much it missed', () => {
  const sink = new SlowSink()
  const drain = new LogDrain(sink, 100)
  const log = makeLog('info', drain)
  for (let n = 0; n < 1000; n++) log.info('a line of some length')
  expect(drain.dropped).toBeGreaterThan(990)
  const { dropped } = drain
  sink.take()
  log.info('it reads again')
  while (sink.isAsked) sink.take()
  const lines = sink.text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(lines).toContainEqual(expect.objectContaining({ msg: 'it reads again' }))
  expect(lines).toContainEqual(expect.objectContaining({ dropped, msg: 'log lines dropped' }))
})

test('a full disk costs lines, not the process; a full pipe costs time', async () => {
  const sink = new SlowSink()
  const drain = new LogDrain(sink)
  drain.write('one\ntwo\n')
  sink.fail('ENOSPC')
  expect(drain.dropped).toBe(2)
  drain.write('three\n')
  await expect.poll(() => sink.isAsked).toBe(true)
  sink.fail('EAGAIN')
  await expect.poll(() => sink.isAsked).toBe(true)
  while (sink.isAsked) sink.take()
  expect(sink.text).toMatch(/^three\n.*"dropped":2.*\n$/)
})

test('what waits at the end is written then', () => {
  const sink = new SlowSink()
  const drain = new LogDrain(sink)
  drain.write('first\n')
  sink.fail('EAGAIN')
  drain.write('last\n')
  drain.end()
  expect(sink.text).toBe('first\nlast\n')
})
