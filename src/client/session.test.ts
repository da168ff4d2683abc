/** What becomes of a model's session when a request fails, or is left. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { type OwnerApi, OwnerError } from '../owner/api.ts'
import { Session } from './session.ts'

/** An engine that opens sessions, and its count of them. */
function engine() {
  const count = { opened: 0 }
  const owner = {
    open: async () => {
      count.opened++
    },
    stop: async () => undefined,
  } as object as OwnerApi
  return { count, session: new Session(owner, { model: 'm' }, () => undefined) }
}

test.each([
  ['out-of-range', 1],
  ['context', 1],
  // With which it is tried again.
  ['lost', 3],
])('a request that ends with "%s", and the next one, have had sessions: %i', async (code, opened) => {
  const { count, session } = engine()
  const fails = () => Promise.reject(new OwnerError(code, 'It does not work.'))
  await session.use(async () => undefined, undefined)
  await expect(session.use(fails, AbortSignal.timeout(60_000), undefined)).rejects.toMatchObject({ code })
  await session.use(async () => undefined, undefined)
  expect(count.opened).toBe(opened)
})

test('a request that was left holds nothing while it waits', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const { session } = engine()
  let release = (): void => undefined
  const running = new Promise<void>((resolve) => {
    release = resolve
  })
  const first = session.use(() => running, undefined)
  const ask = (): WeakRef<object> => {
    const said = { text: 'x' }
    const leave = new AbortController()
    session.use(async () => said.text, leave.signal).catch(() => undefined)
    leave.abort()
    return new WeakRef(said)
  }
  const asked = ask()
  await expect
    .poll(() => {
      collect()
      return asked.deref() === undefined
    })
    .toBe(true)
  release()
  await first
})
