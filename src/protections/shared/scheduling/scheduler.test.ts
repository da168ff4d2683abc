import { expect, test } from 'vitest'
import type { Job } from '../session/turn.ts'
import { type Clock, Scheduler, type SchedulerOptions } from './scheduler.ts'

/** Time that moves only where a test says so; what is to happen soon happens when `run` is called. */
class FakeClock implements Clock {
  time = 0
  #soon: (() => void)[] = []
  #timers: { at: number; act: () => void }[] = []

  now = () => this.time
  soon = (act: () => void) => void this.#soon.push(act)
  after = (ms: number, act: () => void) => {
    const timer = { at: this.time + ms, act }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
    }
  }

  /** Turns of the event loop until nothing happens any more. */
  async run(turns = 10_000): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
    for (let n = 0; n < turns && this.#soon.length > 0; n++) {
      for (const act of this.#soon.splice(0)) act()
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  pass(ms: number): void {
    this.time += ms
    for (const { act } of this.#timers.filter(({ at }) => at <= this.time)) act()
    this.#timers = this.#timers.filter(({ at }) => at > this.time)
  }
}

function house(options: SchedulerOptions = {}) {
  const clock = new FakeClock()
  const scheduler = new Scheduler({ clock, sliceMs: 8, ...options })
  const events: string[] = []
  /** A deal of so many slices, each of which it uses up. */
  const deal = (name: string, changes: Partial<Job> & { slices?: number } = {}): Job => ({
    ...{ peer: name, session: name, cost: 1 << 20, rows: 1, ...changes },
    run: async (turn) => {
      for (let n = 0; n < (changes.slices ?? 1); n++) {
        events.push(name)
        clock.time += 8
        await turn.next()
      }
      events.push(`${name}.`)
    },
  })
  return { clock, scheduler, events, deal }
}

test('a row is dealt between the slices of a prompt that came first, and prompts still go on beside many rows', async () => {
  const { clock, scheduler, events, deal } = house()
  scheduler.submit(deal('prompt', { rows: 64, slices: 3 }))
  await clock.run(1)
  scheduler.submit(deal('row'))
  await clock.run()
  expect(events).toEqual(['prompt', 'row', 'row.', 'prompt', 'prompt', 'prompt.'])
  events.length = 0
  scheduler.submit(deal('prompt', { rows: 64, slices: 2 }))
  for (let n = 0; n < 40; n++) scheduler.submit(deal(`r${n}`, { peer: `r${n}` }))
  await clock.run()
  expect(events.indexOf('prompt')).toBeLessThan(events.indexOf('r10'))
  expect(events.at(-1)).toMatch(/^r/)
})

test('of prompts no more than two are under way, and the next one is of the address that had least', async () => {
  const { clock, scheduler, events, deal } = house()
  const prompt = { rows: 64, slices: 2, cost: 32 << 20 }
  for (let n = 0; n < 6; n++)
    scheduler.submit(deal(`crowd${n}`, { ...prompt, peer: 'crowd', session: `${n}` }))
  scheduler.submit(deal('alone', prompt))
  await clock.run()
  const begun = events.filter((name, i) => events.indexOf(name) === i && !name.endsWith('.'))
  expect(begun.slice(0, 2)).toEqual(['crowd0', 'alone'])
  let underWay = 0
  let most = 0
  for (const [i, name] of events.entries()) {
    if (name.endsWith('.')) underWay--
    else if (events.indexOf(name) === i) most = Math.max(most, ++underWay)
  }
  expect(most).toBe(2)
})

test('a session’s deals run one after another, prompts and rows alike', async () => {
  const { clock, scheduler, events, deal } = house()
  const own = { peer: 'a', session: 's' }
  scheduler.submit(deal('first', { ...own, rows: 64, slices: 3 }))
  scheduler.submit(deal('second', own))
  scheduler.submit(deal('third', { ...own, rows: 64 }))
  await clock.run()
  expect(events.filter((name) => name.endsWith('.'))).toEqual(['first.', 'second.', 'third.'])
  expect(events.indexOf('second')).toBeGreaterThan(events.indexOf('first.'))
})

test('what opens a session is done before the next slice, and holds dealing up for a slice at most', async () => {
  const { clock, scheduler, events, deal } = house()
  scheduler.submit(deal('prompt', { rows: 64, slices: 3 }))
  await clock.run(1)
  const opening = scheduler.control(async () => {
    for (let n = 0; n < 5; n++) await new Promise((resolve) => setImmediate(resolve))
    events.push('opened')
  })
  await clock.run()
  await opening
  await clock.run()
  expect(events).toEqual(['prompt', 'opened', 'prompt', 'prompt', 'prompt.'])
  events.length = 0
  void scheduler.control(() => new Promise(() => undefined))
  scheduler.submit(deal('other', { rows: 64, slices: 2 }))
  await clock.run()
  expect(events).toEqual([])
  clock.pass(8)
  await clock.run()
  expect(events).toEqual(['other'])
})

test('whoever waits for another party leaves the thread and the place to others', async () => {
  const { clock, scheduler, events, deal } = house({ atOnce: 1 })
  let give = () => {}
  const credit = new Promise<void>((resolve) => {
    give = resolve
  })
  scheduler.submit({
    ...deal('stalled', { rows: 64 }),
    run: async (turn) => {
      events.push('stalled')
      await turn.waiting(credit)
      events.push('goes on')
    },
  })
  scheduler.submit(deal('other', { rows: 64 }))
  await clock.run()
  expect(events).toEqual(['stalled', 'other', 'other.'])
  give()
  await credit
  await new Promise((resolve) => setImmediate(resolve))
  await clock.run()
  expect(events.at(-1)).toBe('goes on')
})

test('what waits for its products keeps its place, and others use the thread', async () => {
  const { clock, scheduler, events, deal } = house({ atOnce: 1 })
  let finish = () => {}
  const products = new Promise<void>((resolve) => {
    finish = resolve
  })
  scheduler.submit({
    ...deal('computes', { rows: 64 }),
    run: async (turn) => {
      await turn.computing(products)
      events.push('computed')
    },
  })
  scheduler.submit(deal('prompt', { rows: 64 }))
  scheduler.submit(deal('row'))
  await clock.run()
  expect(events).toEqual(['row', 'row.'])
  finish()
  await products
  await new Promise((resolve) => setImmediate(resolve))
  await clock.run()
  expect(events).toEqual(['row', 'row.', 'computed', 'prompt', 'prompt.'])
})

test('too much is refused early, and says when to ask again', async () => {
  const { clock, scheduler, deal } = house({ queuedDealsPerPeer: 2, queuedDeals: 5, queueMs: 1000 })
  const refused = (peer: string) => {
    try {
      scheduler.check(peer)
    } catch (error) {
      return error
    }
    return undefined
  }
  for (const session of ['1', '2']) scheduler.submit(deal(session, { peer: 'a', session }))
  expect(refused('a')).toMatchObject({ code: 'busy', retryAfter: 1, status: 503 })
  expect(refused('b')).toBeUndefined()
  // Measured dealing tells how long what waits will take.
  scheduler.submit(deal('big', { peer: 'b', cost: 640e6 }))
  expect(refused('b')).toMatchObject({ code: 'busy', retryAfter: 11 })
  expect(refused('c')).toBeUndefined()
  for (const peer of ['c', 'd']) scheduler.submit(deal(peer))
  expect(refused('e')).toMatchObject({ code: 'busy' })
  await clock.run()
  expect(refused('a')).toBeUndefined()
  expect(scheduler.queued).toBe(0)
})

test('what an ended session has queued is forgotten', async () => {
  const { clock, scheduler, events, deal } = house()
  for (const name of ['x1', 'x2']) scheduler.submit(deal(name, { peer: 'a', session: 'x' }))
  scheduler.submit(deal('y', { peer: 'a', session: 'y' }))
  scheduler.drop('x')
  await clock.run()
  expect(events).toEqual(['y', 'y.'])
  expect(scheduler.queued).toBe(0)
  scheduler.submit(deal('x3', { peer: 'a', session: 'x', slices: 2 }))
  scheduler.submit(deal('x4', { peer: 'a', session: 'x' }))
  await clock.run(1)
  scheduler.drop('x')
  await clock.run()
  expect(events.slice(2)).toEqual(['x3', 'x3', 'x3.'])
})

test('where nobody else is there, an eager scheduler begins at once; a prompt still goes by slices, and rows between', async () => {
  const { clock, scheduler, events, deal } = house({ isEager: true })
  scheduler.submit(deal('prompt', { rows: 64, slices: 3 }))
  expect(events).toHaveLength(1)
  scheduler.submit(deal('row'))
  await clock.run()
  expect(events.join(' ')).toBe('prompt row row. prompt prompt prompt.')
})

test('how long others wait is told by what is dealt in the time that anything is under way', async () => {
  const { clock, scheduler, deal } = house({ queueMs: 1000 })
  const elsewhere = (name: string, cost: number): Job => ({
    ...deal(name, { peer: 'a', cost }),
    // Made by another thread, in a second and a half.
    run: (turn) =>
      turn.computing(
        new Promise((resolve) => {
          setImmediate(() =>
            setImmediate(() => {
              clock.pass(1500)
              resolve(undefined)
            }),
          )
        }),
      ),
  })
  for (let n = 0; n < 30; n++) scheduler.submit(elsewhere(`${n}`, 1e6))
  await clock.run()
  // What was dealt took a second and a half for each megabyte: two more are three seconds.
  for (const session of ['x', 'y']) scheduler.submit(deal(session, { peer: 'a', cost: 1e6 }))
  expect(() => scheduler.check('a')).toThrow(expect.objectContaining({ code: 'busy' }))
  expect(() => scheduler.check('b')).not.toThrow()
})
