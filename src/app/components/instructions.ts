/** What stands before a chat's first message, for models whose template has a place for it. */
import { css, html, LitElement, nothing } from 'lit'
import type { Measured } from '../../owner/api.ts'
import { instructed } from '../history/conversation.ts'
import { t } from '../language.ts'
import { chat } from '../state/chat.ts'
import { engine } from '../state/engine.ts'
import { Watch } from '../state/store.ts'
import { base } from '../styles/base.ts'
import { form } from '../styles/form.ts'

/** Far more than any model's context. */
const MOST_CHARACTERS = 100_000

export class Instructions extends LitElement {
  static override properties = { measured: { state: true } }
  /** How much of the model's memory they take. */
  declare measured: Measured | undefined

  static override styles = [
    base,
    form,
    css`
      textarea {
        width: 100%;
        max-height: 12rem;
        padding: 8px 12px;
        border: 1px solid var(--edge);
        border-radius: 10px;
        background: var(--sheet);
        resize: vertical;
        field-sizing: content;
      }
      small {
        color: var(--soft);
        font-size: 0.8125rem;
      }
      .over {
        color: var(--danger);
      }
    `,
  ]

  constructor() {
    super()
    new Watch(this, chat, engine)
  }

  override connectedCallback(): void {
    super.connectedCallback()
    void this.#measure()
  }

  protected override render() {
    const { measured } = this
    const isOver = measured !== undefined && measured.tokens > measured.most
    return html`<fieldset>
      <legend>${t('system.legend')}</legend>
      <label for="system">${t('system.label')}</label>
      <textarea
        id="system"
        rows="3"
        dir="auto"
        maxlength=${MOST_CHARACTERS}
        aria-describedby="system-hint"
        .value=${chat.state.conversation.system?.value ?? ''}
        @change=${this.#change}
      ></textarea>
      <small id="system-hint">
        ${t('system.hint')}
        ${measured ? html`<span class=${isOver ? 'over' : ''}>${t(isOver ? 'composer.over' : 'composer.count', { tokens: measured.tokens, n: measured.most })}</span>` : nothing}
      </small>
    </fieldset>`
  }

  /** Once they are written, not at each letter: whenever they change, the chat is read again. */
  readonly #change = async (event: Event): Promise<void> => {
    const { value } = event.target as HTMLTextAreaElement
    const { id } = chat.state.conversation
    await Promise.all([
      chat.amend(id, (conversation) => instructed(conversation, value.trim())),
      this.#measure(),
    ])
  }

  async #measure(): Promise<void> {
    const { conversation } = chat.state
    this.measured = conversation.system?.value ? await engine.measure('', conversation) : undefined
  }
}

customElements.define('sotto-instructions', Instructions)
