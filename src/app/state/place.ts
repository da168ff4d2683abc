/** Which conversation this tab shows: in its address, so that Back works and a reload finds it, and in its title. */
import { session } from './storage.ts'

const NAME = 'sotto.open'

const asked = (): string | null => new URLSearchParams(location.hash.slice(1)).get('chat')

/** The conversation that the address names, or else that this tab showed last. */
export function placeHere(): { id: string | null; isAsked: boolean } {
  const id = asked()
  return { id: id ?? session.get(NAME), isAsked: id !== null }
}

/** @param id of a conversation that is kept; none for one that isn't */
export function goTo(id: string | undefined, replace = false): void {
  session.set(NAME, id ?? '')
  const address = new URL(location.href)
  address.hash = id ? `chat=${id}` : ''
  if (address.href === location.href) return
  if (replace) history.replaceState(null, '', address)
  else history.pushState(null, '', address)
}

/** The person went back, or on. */
export const onTravel = (listener: (id: string | null) => void): void =>
  globalThis.addEventListener?.('popstate', () => listener(asked()))
