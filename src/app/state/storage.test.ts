import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { clearCaches, Database, local, openChannel, session, storage } from './storage.ts'

const forbidden = () => {
  throw new DOMException('Access is denied for this document.', 'SecurityError')
}

beforeEach(() => storage.set({ text: undefined }))
afterEach(() => vi.unstubAllGlobals())

/** A browser that keeps nothing: even naming what keeps things throws. */
function forbid(): void {
  for (const name of ['localStorage', 'sessionStorage', 'indexedDB', 'caches'])
    Object.defineProperty(globalThis, name, { get: forbidden, configurable: true })
  vi.stubGlobal(
    'BroadcastChannel',
    class {
      constructor() {
        forbidden()
      }
    },
  )
}

test('where everything is forbidden, what is written lasts as long as the page, and that is said', async () => {
  forbid()
  for (const values of [local, session]) {
    expect(values.get('a')).toBe(null)
    values.set('a', '1')
    expect(values.get('a')).toBe('1')
    values.clear()
    expect(values.get('a')).toBe(null)
  }
  const database = new Database<{ id: string }>('things')
  await database.set('x', { id: 'x' })
  await database.set('y', { id: 'y' })
  await database.delete('x')
  expect(await database.keys()).toEqual(['y'])
  expect(await database.many(['x', 'y'])).toEqual([undefined, { id: 'y' }])
  await database.clear()
  expect(await database.get('y')).toBe(undefined)
  openChannel('tabs').postMessage('changed')
  await clearCaches()
  expect(storage.state.text).toMatch(/keeps nothing/)
})

test('a full disk is told apart, and nothing is lost while the page is open', () => {
  const kept = new Map([['a', 'old']])
  const full = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: () => {
      throw new DOMException('', 'QuotaExceededError')
    },
  }
  Object.defineProperty(globalThis, 'localStorage', { value: full, configurable: true })
  expect(local.get('a')).toBe('old')
  local.set('a', 'new')
  expect(local.get('a')).toBe('new')
  expect(storage.state.text).toMatch(/no room left/)
})

test('who keeps the page is told to keep nothing more before what it has kept is deleted', async () => {
  const done: string[] = []
  const worker = { postMessage: (said: string) => done.push(said) }
  const registration = { active: worker, waiting: null, unregister: async () => done.push('unregistered') }
  vi.stubGlobal('navigator', { serviceWorker: { getRegistrations: async () => [registration] } })
  const caches = { keys: async () => ['a'], delete: async (name: string) => done.push(`deleted ${name}`) }
  Object.defineProperty(globalThis, 'caches', { value: caches, configurable: true })
  await clearCaches()
  expect(done).toEqual(['sotto-erased', 'unregistered', 'deleted a'])
})
