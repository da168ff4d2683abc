/** Work that may wait, so that the page answers a person in between. */
import { LitElement } from 'lit'
import { languageReady } from './language.ts'
import { nextTask } from './next-task.ts'

/** A component whose first picture is a task by itself, not part of the one that put it on the page. */
export class DeferredElement extends LitElement {
  protected override async scheduleUpdate(): Promise<void> {
    if (!this.hasUpdated) await Promise.all([nextTask(), languageReady()])
    super.scheduleUpdate()
  }
}
