/** The empty conversation: what this is, which model answers, and something to begin with. */
import { css, html, LitElement, nothing } from 'lit'
import type { ModelListing } from '../../owner/api.ts'
import { bytes, count } from '../format.ts'
import { t, theirs } from '../language.ts'
import { modelName } from '../names.ts'
import { chat } from '../state/chat.ts'
import { engine } from '../state/engine.ts'
import { parties } from '../state/parties.ts'
import { Watch } from '../state/store.ts'
import { base } from '../styles/base.ts'
import * as icons from '../styles/icons.ts'
import { honesty } from './honesty.ts'

/** Questions, so that nobody believes that something was booked or paid. */
const suggestions = ['welcome.ask1', 'welcome.ask2', 'welcome.ask3', 'welcome.ask4'] as const

export class Welcome extends LitElement {
  static override styles = [
    base,
    css`
      :host {
        padding: clamp(20px, 7vh, 88px) 0 24px;
      }
      h2 {
        max-width: 15em;
        font: 400 italic clamp(2rem, 1.3rem + 2.6vw, 3rem) / 1.12 var(--serif);
        letter-spacing: -0.015em;
        text-wrap: balance;
      }
      .lead {
        max-width: 33em;
        min-height: 8em;
        margin-top: 16px;
        font: 1.125rem/1.6 var(--serif);
        color: var(--soft);
        text-wrap: pretty;
      }
      ul {
        margin-top: 32px;
        border-top: 1px solid var(--line);
      }
      .ask {
        display: flex;
        align-items: center;
        justify-content: space-between;
        gap: 16px;
        width: 100%;
        min-height: 48px;
        border-bottom: 1px solid var(--line);
        color: var(--ink);
        transition: padding 0.2s, color 0.2s;
      }
      .ask svg {
        flex: none;
        color: var(--you);
        opacity: 0.5;
      }
      .ask:hover {
        padding-inline-start: 8px;
        color: var(--you);
      }
      .ask:hover svg {
        opacity: 1;
      }
      .model {
        min-height: 7.5em;
        margin-top: 20px;
        color: var(--soft);
        font-size: 0.875rem;
        line-height: 1.55;
      }
      .model b {
        color: var(--ink);
        font-weight: 600;
      }
      .main {
        margin-top: 22px;
      }
    `,
    honesty.styles,
  ]

  constructor() {
    super()
    new Watch(this, engine, chat, parties)
  }

  protected override render() {
    const { temporary } = chat.state.conversation
    const { model, phase } = engine.state
    return html`
      <h2>${t('welcome.title')}</h2>
      <p class="lead">
        ${theirs(model?.protection.notice.lead.chat)} ${honesty.condition(model)}
        ${temporary ? t('welcome.temporary') : nothing}
      </p>
      ${honesty.warning()}
      ${phase === 'offer' && model ? html`<button class="button main" @click=${() => engine.open()}>${t('model.download', { size: bytes(model.publicBytes) })}</button>` : nothing}
      <ul aria-label=${t('welcome.begin')}>
        ${suggestions.map(
          (key) =>
            html`<li><button class="ask" @click=${() => chat.send(t(key))}><span dir="auto">${t(key)}</span>${icons.arrow}</button></li>`,
        )}
      </ul>
      <div class="model">${model ? this.#model(model) : nothing}</div>
    `
  }

  #model(model: ModelListing) {
    return html`
      <p>
        <b>${modelName(model)}</b> · ${t('model.parameters', { count: count(model.parameters), private: count(model.privateParameters) })} ·
        ${t('welcome.once', { size: bytes(model.publicBytes) })} ·
        ${t('welcome.remembers', { count: count(Math.round(0.075 * model.context) * 10) })} · ${model.licence}
      </p>
      <p dir="auto">${model.description}</p>
      <p>${t('welcome.why')}</p>
    `
  }
}

customElements.define('sotto-welcome', Welcome)
