import { afterEach, beforeEach, expect, test, vi } from 'vitest'

// Before any tab: its modules are made anew, and would bring another disk along.
const { idbKeyval, newBrowser } = await vi.hoisted(() => import('../../../test/support/app/tabs.ts'))
vi.mock('idb-keyval', () => idbKeyval)

type Held = (lock: Lock | null) => Promise<void> | undefined

/** Which locks are held, by which tab. */
const holders = new Map<string, object>()

/** As the browser has them for one tab. */
const locksOf = (tab: object) => ({
  request: async (name: string, options: Held | object, held: Held = options as Held) => {
    if (typeof options === 'function') return held({} as Lock)
    const isFree = !holders.has(name)
    if (isFree) holders.set(name, tab)
    return held(isFree ? ({} as Lock) : null)
  },
})

/** A tab of its own, with an unbegun chat. */
async function openTab() {
  vi.resetModules()
  const tab = {}
  vi.stubGlobal('navigator', { locks: locksOf(tab) })
  const { Drafts } = await import('./drafts.ts')
  const { newConversation } = await import('../history/conversation.ts')
  const { vault } = await import('../history/vault.ts')
  await vault.load()
  const drafts = new Drafts()
  const unbegun = newConversation(0)
  // As the page does once it is there.
  await drafts.get(unbegun)
  const close = () => {
    for (const [name, holder] of holders) if (holder === tab) holders.delete(name)
  }
  return { drafts, unbegun, close }
}

beforeEach(() => {
  newBrowser()
  holders.clear()
})
afterEach(() => vi.unstubAllGlobals())

test('two tabs keep a draft of an unbegun chat each, and find it after a reload', async () => {
  const [one, other] = [await openTab(), await openTab()]
  one.drafts.set(one.unbegun, 'of the first tab')
  other.drafts.set(other.unbegun, 'of the second')
  await Promise.all([one.drafts.flush(), other.drafts.flush()])
  expect(await one.drafts.get(one.unbegun)).toBe('of the first tab')
  other.close()
  const again = await openTab()
  expect(await again.drafts.get(again.unbegun)).toBe('of the second')
})

test('what a closed tab has left is found by the next one', async () => {
  const one = await openTab()
  one.drafts.set(one.unbegun, 'left behind')
  await one.drafts.flush()
  one.close()
  const next = await openTab()
  expect(await next.drafts.get(next.unbegun)).toBe('left behind')
})
