import { expect, test } from 'vitest'
import { Queue } from './queue.ts'

const bytes = (...values: number[]) => Uint8Array.from(values)
const all = async (queue: Queue) => {
  const out: number[][] = []
  for await (const item of queue) out.push([...item])
  return out
}
/** Whether a promise has settled once everything that can run has run. */
const settled = async (promise: Promise<unknown>) => {
  const mark = {}
  const tick = new Promise((resolve) => setTimeout(resolve, 0, mark))
  return (await Promise.race([promise.catch(() => undefined), tick])) !== mark
}

test('what comes is taken in order, by those who wait in theirs', async () => {
  const queue = new Queue()
  const [first, second] = [queue.next(), queue.next()]
  expect([queue.isAwaited, queue.isEmpty]).toEqual([true, true])
  for (let i = 1; i <= 4; i++) queue.push(bytes(i))
  expect([queue.bytes, queue.isAwaited, queue.isEmpty]).toEqual([2, false, false])
  expect(await Promise.all([second, first, queue.next(), queue.next()])).toEqual(
    [2, 1, 3, 4].map((n) => bytes(n)),
  )
  expect([queue.bytes, queue.isEmpty]).toEqual([0, true])
})

test('after an error, what has arrived can be taken, and nothing else arrives', async () => {
  const queue = new Queue()
  queue.push(bytes(1))
  queue.end(new Error('lost'))
  queue.end(new Error('later'))
  queue.push(bytes(2))
  expect(await queue.next()).toEqual(bytes(1))
  await expect(queue.next()).rejects.toThrow('lost')
})

test('an error reaches those who wait, of either side', async () => {
  const queue = new Queue()
  const waiting = queue.next()
  queue.end(new Error('lost'))
  await expect(waiting).rejects.toThrow('lost')
  const full = new Queue()
  full.push(bytes(1, 2))
  const room = full.room(1)
  expect(await settled(room)).toBe(false)
  full.end(new Error('lost'))
  expect(await settled(room)).toBe(true)
})

test('who brings much waits until it is taken or dropped', async () => {
  const queue = new Queue()
  for (let i = 0; i < 4; i++) queue.push(bytes(i, i))
  const [little, much] = [queue.room(2), queue.room(6)]
  expect(await settled(queue.room(8))).toBe(true)
  expect([await settled(little), await settled(much)]).toEqual([false, false])
  await queue.next()
  expect([await settled(little), await settled(much)]).toEqual([false, true])
  expect(queue.drop()).toBe(6)
  expect(await settled(little)).toBe(true)
  expect([queue.bytes, queue.isEmpty]).toEqual([0, true])
})

test('iteration ends with the queue, and fails with it', async () => {
  const queue = new Queue()
  const taken = all(queue)
  queue.push(bytes(1))
  queue.push(bytes(2))
  queue.end()
  expect(await taken).toEqual([[1], [2]])

  const failing = new Queue()
  failing.push(bytes(1))
  failing.end()
  failing.drop()
  failing.end(new Error('lost'))
  await expect(all(failing)).rejects.toThrow('lost')
})

test('who stops iterating leaves nobody waiting', async () => {
  const queue = new Queue()
  for (let i = 0; i < 3; i++) queue.push(bytes(i, i))
  const room = queue.room(0)
  for await (const item of queue) if (item[0] === 1) break
  expect(await settled(room)).toBe(true)
  queue.push(bytes(9))
  expect(queue.bytes).toBe(2)
})
