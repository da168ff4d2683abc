/** Work that may wait, so that the page answers a person in between. */
import { LitElement } from 'lit'
import { languageReady } from './language.ts'

/** Resolves in a task of its own, before which the browser may paint and handle input. */
const nextTask = (): Promise<void> => new Promise((resolve) => setTimeout(resolve))

/** A component whose first picture is a task by itself, not part of the one that put it on the page. */
export class DeferredElement extends LitElement {
  protected override async scheduleUpdate(): Promise<void> {
    if (!this.hasUpdated) await Promise.all([nextTask(), languageReady()])
    super.scheduleUpdate()
  }
}
