/** What the embedded views share: the model that was asked for, the client, and the page around. */
import { LitElement, type PropertyDeclarations } from 'lit'
import { Sotto } from '../../client/sotto.ts'
import { type ModelListing, OwnerError } from '../../owner/api.ts'
import type { HostMessage } from '../../widget/messages.ts'
import { loadConfig } from '../config.ts'
import { type Host, HostLink } from './host-link.ts'
import { wear } from './style.ts'

const query = new URLSearchParams(location.search)

export abstract class EmbeddedView extends LitElement {
  static override properties: PropertyDeclarations = {
    model: { state: true },
    isAgreed: { state: true },
    around: { state: true },
    error: { state: true },
  }
  declare model: ModelListing | undefined
  /** The visitor has agreed to download and compute. */
  declare isAgreed: boolean
  /** The page around us, once that is known: nobody agrees to anything before. */
  declare around: Host | 'nobody' | undefined
  declare error: OwnerError | undefined
  protected readonly host = new HostLink(
    (message) => this.#hear(message),
    (host) => {
      this.around = host
    },
  )
  #sotto?: Promise<Sotto>

  constructor() {
    super()
    this.isAgreed = false
    void this.look()
  }

  /** Says what is asked of the view. */
  protected abstract asked(message: HostMessage): void

  /** The engine, which is loaded when it is first asked for. */
  protected client(): Promise<Sotto> {
    this.#sotto ??= loadConfig().then((config) => new Sotto(config))
    return this.#sotto
  }

  /** Finds the model that the page wants, or the first that does what the view does. */
  async look(): Promise<void> {
    try {
      this.error = undefined
      const { data } = await (await this.client()).models.list()
      const task = query.get('view') === 'classify' ? 'classify' : 'chat'
      const fitting = data.map(({ listing }) => listing).filter((each) => (each.task ?? 'chat') === task)
      const name = query.get('model')
      const found = name ? fitting.find((each) => each.name === name) : fitting[0]
      if (!found)
        throw new OwnerError('unknown-model', `There is no model ${name ?? ''} here that can do this.`)
      this.model = found
      this.host.send({ type: 'ready' })
    } catch (reason) {
      this.fail(reason)
    }
  }

  protected fail(reason: unknown): void {
    // Its workers and sessions would otherwise stay beside those of the next one.
    void this.#sotto?.then((sotto) => sotto.close()).catch(() => undefined)
    this.#sotto = undefined
    this.error = OwnerError.from(reason)
    this.host.send({ type: 'error', code: this.error.code })
  }

  #hear(message: HostMessage): void {
    if (message.type === 'look') wear(message.look)
    else this.asked(message)
  }
}
