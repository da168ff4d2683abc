/** The consent beside somebody's form, and the label of its text once it is sent. */
import { css, html, nothing, type PropertyDeclarations } from 'lit'
import type { HostMessage } from '../../widget/messages.ts'
import { t } from '../language.ts'
import { base } from '../styles/base.ts'
import { inOneLine } from '../trouble.ts'
import './consent.ts'
import type { Host } from './host-link.ts'
import { EmbeddedView } from './view.ts'

/** What the visitor agrees to, and with whom. */
function extentOf(around: Host | 'nobody'): string {
  return t('embed.once', { name: around === 'nobody' ? t('embed.around') : around.name })
}

export class ClassifyView extends EmbeddedView {
  static override properties: PropertyDeclarations = {
    isSorting: { state: true },
    wasSorted: { state: true },
  }
  declare isSorting: boolean
  /** Whether the last consent has been used. */
  declare wasSorted: boolean

  static override styles = [
    base,
    css`
      :host {
        padding: 10px 14px;
        height: 100dvh;
        overflow-y: auto;
        background: var(--paper);
        font-size: 0.875rem;
      }
    `,
  ]

  protected override asked(message: HostMessage): void {
    if (message.type === 'classify') void this.#classify(message.id, message.text)
  }

  protected override render() {
    const { model, around, isAgreed, isSorting, wasSorted, error } = this
    return html`
      ${isAgreed ? html`<p role="status">${t('embed.willSort')}</p>` : nothing}
      ${isSorting ? html`<p role="status">${t('embed.sorting')}</p>` : nothing}
      ${wasSorted ? html`<p role="status">${t('embed.sorted')}</p>` : nothing}
      ${model && around && !isAgreed && !isSorting ? html`<sotto-consent .model=${model} verb=${t('embed.sort')} extent=${extentOf(around)} @agree=${this.#agree}></sotto-consent>` : nothing}
      ${error ? html`<p role="alert">${inOneLine(error)} ${t('embed.sendAnyway')}</p>` : nothing}
    `
  }

  readonly #agree = (): void => {
    this.isAgreed = true
    this.wasSorted = false
  }

  /** The consent is used up by one text: the page around could hand over more of them than a visitor has sent. */
  async #classify(id: number, text: unknown): Promise<void> {
    // A list of them would be classified, too.
    if (!this.isAgreed || !this.model || typeof text !== 'string')
      return this.host.send({ type: 'classified', id })
    this.isAgreed = false
    this.isSorting = true
    this.error = undefined
    try {
      const { data } = await (await this.client()).classify({ model: this.model.name, input: text })
      const [{ label, probabilities }] = data
      const { probability } = probabilities.find((each) => each.label === label)!
      this.wasSorted = true
      this.host.send({ type: 'classified', id, label, probability })
    } catch (reason) {
      this.fail(reason)
      this.host.send({ type: 'classified', id })
    } finally {
      this.isSorting = false
    }
  }
}

customElements.define('sotto-embedded-classify', ClassifyView)
