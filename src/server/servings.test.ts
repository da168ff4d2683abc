import pino from 'pino'
import { expect, test, vi } from 'vitest'
import { tinyConfig } from '../../test/support/session/tiny-bundle.ts'
import { newIdentity } from '../handshake/node/key-file.ts'
import type { CatalogEntry } from '../model/files/catalog.ts'
import type { Serving, ServingProtection } from '../protections/serving.ts'
import { startServings } from './servings.ts'

const entry = (name: string): CatalogEntry =>
  ({
    name,
    hash: name.repeat(64),
    dir: '',
    files: new Map(),
    manifest: { name, description: '', license: '', config: { ...tinyConfig, context: 8 }, tensors: [] },
  }) as object as CatalogEntry

/** Takes the models of these names. */
function protection(id: string, names: string, stop = vi.fn()): ServingProtection & { stop: typeof stop } {
  return {
    id,
    stop,
    takes: ({ name }) => names.includes(name),
    serve: async ({ entries, settings }) => {
      if (settings === 'fail') throw new Error(`${id} fails`)
      const models = entries.map(({ hash }) => ({ modelHash: hash, listing: { by: id, settings } }))
      return { models, stop } as object as Serving
    },
  }
}

const start = (
  names: string,
  protections: readonly ServingProtection[],
  settings: Record<string, unknown> = {},
) =>
  startServings({
    catalog: [...names].map(entry),
    protections,
    settings,
    identity: newIdentity(),
    log: pino({ level: 'silent' }),
  })

test('each bundle goes to the first protection that takes it, and is listed in the catalogue’s order', async () => {
  const servings = await start('abc', [protection('x', 'b'), protection('y', 'abc')], { y: 7 })
  expect(servings.listings.map(({ name, protection: id, ...rest }) => [name, id, rest.by])).toEqual([
    ['a', 'y', 'y'],
    ['b', 'x', 'x'],
    ['c', 'y', 'y'],
  ])
  expect(servings.listings.map((listing) => listing.settings)).toEqual([7, undefined, 7])
  expect(servings.of('b'.repeat(64))).toBe(servings.all.find(({ models }) => models.length === 1))
  expect(servings.of('d'.repeat(64))).toBeUndefined()
})

test('a protection without a bundle is not started', async () => {
  const idle = protection('x', '')
  const serve = vi.spyOn(idle, 'serve')
  await start('a', [idle, protection('y', 'a')])
  expect(serve).not.toHaveBeenCalled()
})

test('a bundle that nobody takes is named, and those that started are stopped where another fails', async () => {
  await expect(start('ab', [protection('x', 'a')])).rejects.toThrow('No protection serves b.')
  const started = protection('x', 'a')
  await expect(start('ab', [started, protection('y', 'b')], { y: 'fail' })).rejects.toThrow('y fails')
  expect(started.stop).toHaveBeenCalledOnce()
})
