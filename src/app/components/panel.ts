/** "Who sees what": the parties, what reached them, and what that protects. */
import { css, html, nothing } from 'lit'
import { DeferredElement } from '../defer.ts'
import { decimal, way } from '../format.ts'
import { t, theirs } from '../language.ts'
import { modelName } from '../names.ts'
import { sources, traffic } from '../state/activity.ts'
import { engine } from '../state/engine.ts'
import { parties } from '../state/parties.ts'
import { Watch } from '../state/store.ts'
import { base } from '../styles/base.ts'
import * as icons from '../styles/icons.ts'
import { honesty } from './honesty.ts'
import { privacyNotice } from './privacy-notice.ts'
import './triangle.ts'
import { witness } from './witness.ts'

export class Panel extends DeferredElement {
  static override styles = [
    base,
    css`
      :host {
        display: flex;
        flex-direction: column;
        height: 100%;
        border-inline-start: 1px solid var(--line);
        background: var(--paper);
      }
      header {
        display: flex;
        align-items: center;
        justify-content: space-between;
        flex: none;
        height: 60px;
        padding: 0 10px 0 20px;
        border-bottom: 1px solid var(--line);
      }
      h2 {
        font: italic 1.25rem/1 var(--serif);
      }
      .scroll {
        flex: 1;
        overflow-y: auto;
        scrollbar-width: thin;
        padding: 20px 20px 32px;
      }
      sotto-triangle {
        margin-bottom: 22px;
      }
      .session h3 {
        margin-top: 26px;
        padding-top: 16px;
        border-top: 1px solid var(--line);
        font: italic 1.1875rem/1.3 var(--serif);
      }
      dl {
        margin-top: 6px;
        font-size: 0.9375rem;
      }
      dt {
        margin-top: 9px;
        color: var(--soft);
        font-size: 0.8125rem;
      }
      dd {
        overflow-wrap: anywhere;
      }
      dd code {
        font: 0.8125rem/1.5 var(--mono);
      }
    `,
    witness.styles,
    privacyNotice.styles,
    honesty.styles,
  ]

  constructor() {
    super()
    new Watch(this, ...sources, parties)
  }

  protected override render() {
    const protection = engine.state.model?.protection
    return html`
      <header>
        <h2>${t('app.who')}</h2>
        <button class="icon" aria-label=${t('close')} title=${t('close')} @click=${() => this.dispatchEvent(new Event('close-panel'))}>
          ${icons.close}
        </button>
      </header>
      <div class="scroll" tabindex="0" role="group" aria-label=${t('panel.here')}>
        ${honesty.warning()}
        ${protection?.needsDealer === false ? nothing : html`<sotto-triangle></sotto-triangle>`}
        ${witness.render(traffic(), engine.state)} ${privacyNotice.render(engine.task, protection?.notice)} ${this.#session()}
      </div>
    `
  }

  /** How this device computes and connects, with the engine's own reasons. */
  #session() {
    const { session, stats } = engine.state
    if (!session) return nothing
    const { backend, enclave, link, model } = session
    return html`<div class="session">
      <h3>${t('panel.session')}</h3>
      <dl>
        <dt>${t('panel.computes')}</dt>
        <dd id="backend">${because(way(backend.name), backend.reason)}${stats?.dispatches && way(backend.name) === 'WebGPU' ? html` · ${t('panel.dispatches', { n: stats.dispatches })}` : nothing}</dd>
        <dt>${t('panel.connects')}</dt>
        <dd id="link">${because(way(link.kind), link.reason)}</dd>
        ${engine.task === 'classify' ? nothing : this.#speed()}
        ${enclave ? html`<dt>${t('panel.enclave')}</dt><dd id="enclave">${because(t(enclave.isAttested ? 'panel.attested' : 'panel.notAttested'), enclave.reason)}</dd>` : nothing}
        ${model.protection?.needsDealer === false ? nothing : this.#audits()}
        <dt>${t('model')}</dt>
        <dd>${modelName(model)} <code>${model.hash.slice(0, 16)}</code></dd>
        <dt>${t('panel.sessionName')}</dt>
        <dd id="session"><code>${session.sessionId}</code><br />${t('panel.keys')}</dd>
      </dl>
    </div>`
  }

  #audits() {
    const audits = engine.state.stats?.audits
    return html`<dt>${t('panel.dealer')}</dt>
      <dd id="audits">${audits ? t(audits.audited > 0 ? 'panel.allRight' : 'panel.audited', { audited: audits.audited, n: audits.passes }) : t('panel.unaudited')}</dd>`
  }

  #speed() {
    const { stats } = engine.state
    return html`<dt>${t('panel.speed')}</dt>
      <dd id="speed">${stats && stats.secondsPerToken > 0 ? t('panel.rate', { rate: decimal(1 / stats.secondsPerToken), products: stats.privateProducts }) : t('panel.unmeasured')}</dd>`
  }
}

/** A choice and its reason, which may begin with the same name. */
const because = (name: string, reason: string) =>
  reason.startsWith(name)
    ? html`<b>${name}</b>${theirs(reason.slice(name.length))}`
    : html`<b>${name}</b> · ${theirs(reason)}`

customElements.define('sotto-panel', Panel)
