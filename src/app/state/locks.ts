/** What one tab of this page does while no other tab does. */

/**
 * Runs something while no other tab does, where there are locks; the browser doesn't freeze a tab in the background that has
 * one.
 */
export async function locked<T>(name: string, run: () => Promise<T>): Promise<T> {
  let isBegun = false
  const begun = (): Promise<T> => {
    isBegun = true
    return run()
  }
  try {
    return navigator.locks ? await navigator.locks.request(name, begun) : await begun()
  } catch (error) {
    // Where storage is forbidden so are locks.
    if (isBegun) throw error
    return run()
  }
}

/** The lowest number that no other tab has for the same purpose; this one's until it is closed. 0 where there are no locks. */
export async function claim(purpose: string): Promise<number> {
  for (let at = 0; ; at++) {
    if (await isClaimed(`${purpose}.${at}`)) return at
  }
}

/** Whether a lock is this tab's from now on; also where there are none. */
function isClaimed(name: string): Promise<boolean> {
  return new Promise((resolve) => {
    const held = (lock: Lock | null): Promise<void> | undefined => {
      resolve(lock !== null)
      return lock ? new Promise(() => undefined) : undefined
    }
    // Where storage is forbidden so are locks.
    if (!globalThis.navigator?.locks) resolve(true)
    else navigator.locks.request(name, { ifAvailable: true }, held).catch(() => resolve(true))
  })
}
