/** The consent beside somebody's form, and the label of its text once it is sent. */
import { css, html, nothing } from 'lit'
import type { HostMessage } from '../../widget/messages.ts'
import { base } from '../styles/base.ts'
import './consent.ts'
import { EmbeddedView } from './view.ts'

export class ClassifyView extends EmbeddedView {
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
    const { model, isAgreed, error } = this
    return html`
      ${model && !isAgreed ? html`<sotto-consent .model=${model} verb="Sort my message privately" @agree=${this.#agree}></sotto-consent>` : nothing}
      ${isAgreed ? html`<p role="status">When you send it, your message is sorted privately.</p>` : nothing}
      ${error ? html`<p role="alert">${error.message} ${error.advice} Your message can be sent all the same.</p>` : nothing}
    `
  }

  readonly #agree = (): void => {
    this.isAgreed = true
  }

  async #classify(id: number, text: string): Promise<void> {
    if (!this.isAgreed || !this.model) return this.host.send({ type: 'classified', id })
    try {
      const { data } = await (await this.client()).classify({ model: this.model.name, input: text })
      const [{ label, probabilities }] = data
      const { probability } = probabilities.find((each) => each.label === label)!
      this.host.send({ type: 'classified', id, label, probability })
    } catch (reason) {
      this.fail(reason)
      this.host.send({ type: 'classified', id })
    }
  }
}

customElements.define('sotto-embedded-classify', ClassifyView)
