/** Whether a person can have seen what they are about to click: a page around us might lay something over it. */

/** So long something must have been seen before a click on it counts. */
const SEEN_MS = 500

interface VisibilityEntry extends IntersectionObserverEntry {
  /** Intersection Observer v2: nothing covers it, and nothing around it makes it transparent. */
  readonly isVisible?: boolean
}

/** Says of an element whether it has been wholly visible for a while. */
export class Seen {
  #since?: number
  readonly #observer: IntersectionObserver

  /** @param onChange hears whether it is visible now */
  constructor(element: Element, onChange: (isVisible: boolean) => void) {
    const options = { threshold: 1, trackVisibility: true, delay: 100 }
    this.#observer = new IntersectionObserver((entries) => {
      const entry = entries.at(-1) as VisibilityEntry | undefined
      // Where the second version is missing, being inside the viewport is all that can be told.
      const isVisible = entry?.isVisible ?? entry?.isIntersecting ?? false
      this.#since = isVisible ? (this.#since ?? performance.now()) : undefined
      onChange(isVisible)
    }, options)
    this.#observer.observe(element)
  }

  /** Whether it has been visible for long enough. */
  get isLongEnough(): boolean {
    return this.#since !== undefined && performance.now() - this.#since >= SEEN_MS
  }

  end(): void {
    this.#observer.disconnect()
  }
}
