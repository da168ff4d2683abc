import { expect, test, vi } from 'vitest'
import type { SheetAnswer, SheetFile } from './sheet.ts'

const { read } = vi.hoisted(() => ({ read: vi.fn<() => Promise<string[][]>>() }))
vi.mock('../../texts/xlsx.ts', () => ({ readXlsx: read }))

type Listener = (event: { data: SheetFile }) => Promise<void>

test('the page always hears something: rows, why there are none, or that nobody knows', async () => {
  const told: SheetAnswer[] = []
  let listener: Listener | undefined
  /** As where there is no memory left for a copy. */
  const uncopied = [['x']]
  vi.stubGlobal('addEventListener', (_: string, own: Listener) => {
    listener = own
  })
  vi.stubGlobal('postMessage', (answer: SheetAnswer) => {
    if ('rows' in answer && answer.rows === uncopied) throw new DOMException('', 'DataCloneError')
    told.push(answer)
  })
  const { TableError } = await import('../../texts/error.ts')
  await import('./sheet-worker.ts')
  read.mockResolvedValueOnce([['a']])
  read.mockRejectedValueOnce(new TableError('a.xlsx is damaged.'))
  read.mockRejectedValueOnce(new RangeError('Invalid string length'))
  read.mockResolvedValueOnce(uncopied)
  for (let n = 0; n < 4; n++) await listener?.({ data: { name: 'a.xlsx', bytes: new Uint8Array() } })
  expect(told).toEqual([
    { rows: [['a']] },
    { trouble: 'a.xlsx is damaged.' },
    { trouble: undefined },
    { trouble: undefined },
  ])
  vi.unstubAllGlobals()
})
