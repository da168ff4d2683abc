import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { OwnerError } from '../../owner/api.ts'
import { parties } from './parties.ts'
import { describeTrouble, whoIsAway } from './reachability.ts'

/** Who does not answer, and how it looks. */
let silent: Record<string, 'refused' | 'hanging'> = {}
/** Who has been asked, in order; `gave up` where one was not waited for any longer. */
let asked: string[] = []
/** Ends the patience of whoever waits now. */
let loseItAll: (() => void)[] = []

const nameOf = (url: URL): string => url.hostname.split('.')[0]

beforeEach(() => {
  silent = {}
  asked = []
  loseItAll = []
  vi.stubGlobal('navigator', { onLine: true })
  vi.stubGlobal('location', { href: 'https://page.example/' })
  vi.spyOn(AbortSignal, 'timeout').mockImplementation(() => {
    const abort = new AbortController()
    loseItAll.push(() => abort.abort())
    return abort.signal
  })
  vi.stubGlobal('fetch', (url: URL, { signal }: { signal: AbortSignal }) => {
    const name = nameOf(url)
    asked.push(name)
    if (!silent[name]) return Promise.resolve(new Response())
    if (silent[name] === 'refused') return Promise.reject(new TypeError('Failed to fetch'))
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
  })
  parties.set({ server: { url: 'https://server.example' }, dealer: { url: 'https://dealer.example' } })
})
afterEach(() => {
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
})

/** Asks all there are, and then is out of patience. */
async function find() {
  const found = whoIsAway()
  await vi.waitFor(() => expect(asked.sort()).toEqual(['dealer', 'page', 'server']))
  for (const lose of loseItAll) lose()
  return found
}

describe.each(['refused', 'hanging'] as const)('whoever is %s', (how) => {
  test.each<[string[], string | undefined]>([
    [[], undefined],
    [['server'], 'server'],
    [['dealer'], 'dealer'],
    // Both went at once, which the page's own host did not.
    [['server', 'dealer'], 'server'],
    [['server', 'dealer', 'page'], 'you'],
    // A page that is kept offline needs no host.
    [['page'], undefined],
  ])('%s: it is %s that is told, after one wait', async (away, who) => {
    for (const name of away) silent[name] = how
    expect((await find())?.who).toBe(who)
    expect(loseItAll).toHaveLength(3)
  })
})

test('without a network nobody is asked', async () => {
  vi.stubGlobal('navigator', { onLine: false })
  expect(await whoIsAway()).toMatchObject({ who: 'you' })
  expect(asked).toEqual([])
})

test('an error of a lost link is told in terms of who is away, and any other as it is', async () => {
  silent.dealer = 'refused'
  const lost = new OwnerError('dealer-lost', 'The model server has lost the dealer.')
  expect(await describeTrouble(lost)).toMatchObject({ code: 'dealer-away', message: 'The dealer is away.' })
  const context = new OwnerError('context', 'Too long.')
  expect(await describeTrouble(context)).toBe(context)
})
