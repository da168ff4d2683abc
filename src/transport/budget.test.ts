import { expect, test } from 'vitest'
import { Budgets } from './budget.ts'
import { LinkError } from './errors.ts'
import { limits } from './limits.ts'
import { Rate } from './rate.ts'

const codeOf = (run: () => void): string => {
  try {
    run()
  } catch (error) {
    if (error instanceof LinkError) return error.code
    throw error
  }
  return 'fine'
}

test('a rate lets through what was saved up, then so much a second', () => {
  let now = 0
  const rate = new Rate({ frames: 100, cpuMs: 10 }, () => now)
  rate.spend({ frames: 100 * limits.burstSeconds, cpuMs: 0 })
  expect(rate.delayMs).toBe(0)
  rate.spend({ frames: 50, cpuMs: 0 })
  expect(rate.delayMs).toBe(500)
  now += 500
  expect(rate.delayMs).toBe(0)
  expect(rate.isFull).toBe(false)
  now += 1000 * limits.burstSeconds
  expect(rate.isFull).toBe(true)
  // Time counts like frames, but one frame cannot have cost more than so much.
  rate.spend({ frames: 1000, cpuMs: 25 })
  expect(rate.delayMs).toBeGreaterThan(0)
  now += 100_000
  rate.spend({ frames: 1, cpuMs: 1e9 })
  expect(rate.delayMs).toBe(0)
})

test('an address has one bound for all of its links, and what a link held comes back', () => {
  const budgets = new Budgets()
  const [first, second, other] = [budgets.open('a'), budgets.open('a'), budgets.open('b')]
  first.hold(limits.heldBytesPerPeer - 10)
  expect(codeOf(() => second.hold(11))).toBe('overflow')
  expect(second.held).toBe(0)
  second.hold(10)
  other.hold(11)
  first.hold(100)
  second.hold(limits.heldBytesPerPeer - 100)
  second.close()
  second.hold(1000)
  first.close()
  first.close()
  expect(budgets.held).toBe(11)
})

test('work on one link delays the others of its address, and no other address', () => {
  const budgets = new Budgets()
  const [first, second, other] = [budgets.open('a'), budgets.open('a'), budgets.open('b')]
  first.spend({ frames: 10 * limits.burstSeconds * limits.peerRate.frames, cpuMs: 0 })
  expect(first.delayMs).toBeGreaterThan(0)
  expect(second.delayMs).toBeGreaterThan(0)
  expect(other.delayMs).toBe(0)
})

test('a full house turns away who hoards, not who comes with little', () => {
  const budgets = new Budgets(1000)
  const hoarders = ['a', 'b', 'c'].map((peer) => budgets.open(peer))
  for (const budget of hoarders) budget.hold(333)
  const late = budgets.open('late')
  late.hold(100)
  expect(codeOf(() => hoarders[0].hold(400))).toBe('overflow')
  expect(codeOf(() => late.hold(251))).toBe('overflow')
  expect(budgets.held).toBeLessThanOrEqual(2000)
})

test('addresses that have gone are forgotten', () => {
  const budgets = new Budgets()
  for (let n = 0; n < 5000; n++) budgets.open(`peer ${n}`).close()
  expect(budgets.size).toBeLessThanOrEqual(1024)
})
