/** Tabs of one browser in a test: what is on its disk, and what the tabs tell each other. */
import { vi } from 'vitest'

/** Shared by every tab. */
export const disk = {
  tables: new Map<string, Map<string, unknown>>(),
  /** Which tables take something more. */
  room: (_table: string): boolean => true,
  /** Which reads fail. */
  faults: (_table: string, _key?: string): boolean => false,
}

function read<T>(table: string, key: string | undefined, run: () => T): T {
  if (disk.faults(table, key)) throw new DOMException('', 'UnknownError')
  return structuredClone(run())
}

/** In place of `idb-keyval`. */
export const idbKeyval = {
  createStore: (_within: string, table: string) => table,
  get: async (key: string, table: string) => read(table, key, () => disk.tables.get(table)?.get(key)),
  getMany: async (keys: string[], table: string) =>
    keys.map((key) => structuredClone(disk.tables.get(table)?.get(key))),
  keys: async (table: string) => [...(disk.tables.get(table)?.keys() ?? [])],
  entries: async (table: string) => read(table, undefined, () => [...(disk.tables.get(table) ?? [])]),
  set: async (key: string, value: unknown, table: string) => {
    if (!disk.room(table)) throw new DOMException('', 'QuotaExceededError')
    disk.tables.set(table, (disk.tables.get(table) ?? new Map()).set(key, structuredClone(value)))
  },
  del: async (key: string, table: string) => void disk.tables.get(table)?.delete(key),
  clear: async (table: string) => void disk.tables.delete(table),
}

/** Messages between tabs; none comes while they are not delivered. */
export const messages = { isDelivered: false }
const channels = new Map<string, { listener: (event: object) => void; owner: object }[]>()

export class Channel {
  readonly #name: string
  constructor(name: string) {
    this.#name = name
  }
  addEventListener(_: string, listener: (event: object) => void): void {
    channels.set(this.#name, [...(channels.get(this.#name) ?? []), { listener, owner: this }])
  }
  postMessage(data: unknown): void {
    if (!messages.isDelivered) return
    for (const { listener, owner } of channels.get(this.#name) ?? []) if (owner !== this) listener({ data })
  }
}

/** Another browser, with an empty disk. */
export function newBrowser(): void {
  disk.tables.clear()
  disk.room = () => true
  disk.faults = () => false
  channels.clear()
  messages.isDelivered = false
  vi.stubGlobal('BroadcastChannel', Channel)
}

/** A tab of its own: its modules are no other tab's. */
export async function openTab() {
  vi.resetModules()
  const { archive } = await import('../../../src/app/history/archive.ts')
  const { vault } = await import('../../../src/app/history/vault.ts')
  const { newConversation } = await import('../../../src/app/history/conversation.ts')
  const { newTurn, withTurn } = await import('../../../src/app/history/tree.ts')
  await vault.load()
  /** A conversation in which somebody has said something. */
  const said = (text: string) => withTurn(newConversation(0), newTurn('user', text, undefined))
  return { archive, vault, said }
}

const isBytes = (value: unknown): value is Uint8Array<ArrayBuffer> =>
  value instanceof ArrayBuffer || ArrayBuffer.isView(value)

/** Everything that is on the disk, as whoever copies it reads it. */
export const onDisk = (): string =>
  [...disk.tables.values()]
    .flatMap((table) => [...table.values()])
    .map((value) =>
      JSON.stringify(value, (_, part) => (isBytes(part) ? Buffer.from(part).toString('latin1') : part)),
    )
    .join()
