/** Settings, the kept data, and the keys of the keyboard. */
import { css, html, nothing } from 'lit'
import type { Padding } from '../../owner/chat-options.ts'
import { DeferredElement } from '../defer.ts'
import { decimal, grouped } from '../format.ts'
import { type Key, type Language, languages, parts, t } from '../language.ts'
import { engine } from '../state/engine.ts'
import { settings, type Theme } from '../state/settings.ts'
import { Watch } from '../state/store.ts'
import { base } from '../styles/base.ts'
import { form } from '../styles/form.ts'
import * as icons from '../styles/icons.ts'
import '../view-texts.ts'
import './kept-data.ts'
import './instructions.ts'
import './model-choice.ts'

const themes: [Theme, Key][] = [
  ['auto', 'settings.auto'],
  ['light', 'settings.light'],
  ['dark', 'settings.dark'],
]

const paddings: [Padding, Key][] = [
  ['blocks', 'settings.hide'],
  ['none', 'settings.faster'],
]

interface Slider {
  name: 'temperature' | 'topP' | 'maxTokens'
  min: number
  max: number
  step: number
}

const sliders: Slider[] = [
  {
    name: 'temperature',
    min: 0,
    max: 1.5,
    step: 0.05,
  },
  {
    name: 'topP',
    min: 0.05,
    max: 1,
    step: 0.05,
  },
  {
    name: 'maxTokens',
    min: 8,
    max: 256,
    step: 8,
  },
]

export class SettingsDialog extends DeferredElement {
  static override styles = [
    base,
    form,
    css`
      sotto-kept-data {
        padding: 0 24px 24px;
      }
      select {
        min-height: 40px;
        margin-block: 6px;
        padding: 0 10px;
        border: 1px solid var(--edge);
        border-radius: 10px;
        background: var(--sheet);
      }
    `,
  ]

  constructor() {
    super()
    new Watch(this, settings, engine)
  }

  show(): void {
    this.renderRoot.querySelector('dialog')?.showModal()
  }

  protected override render() {
    const { models, session } = engine.state
    return html`<dialog aria-labelledby="title" @click=${this.#backdrop}>
      <form method="dialog">
        <header>
          <h2 id="title">${t('settings')}</h2>
          <button class="icon" aria-label=${t('close')} title=${t('close')}>${icons.close}</button>
        </header>
        ${models.length > 0 ? html`<sotto-model-choice></sotto-model-choice>` : nothing}
        ${engine.task === 'chat' && session?.takesSystem ? html`<sotto-instructions></sotto-instructions>` : nothing}
        <fieldset>
          <legend>${t('settings.replies')}</legend>
          ${sliders.map((slider) => this.#slider(slider))}
        </fieldset>
        ${this.#padding()}
        <fieldset>
          <legend>${t('settings.appearance')}</legend>
          <div class="choices">
            ${themes.map(
              ([theme, label]) => html`<label class="choice"
                ><input
                  type="radio"
                  name="theme"
                  .checked=${settings.state.theme === theme}
                  @change=${() => settings.set({ theme })}
                /><span>${t(label)}</span></label
              >`,
            )}
          </div>
        </fieldset>
        ${this.#language()} ${keys()}
      </form>
      <sotto-kept-data @erased=${this.#closed}></sotto-kept-data>
    </dialog>`
  }

  #language() {
    const chosen = settings.state.language
    return html`<fieldset>
      <legend>${t('settings.language')}</legend>
      <select aria-label=${t('settings.language')} @change=${this.#speak}>
        <option value="" .selected=${chosen === ''}>${t('settings.languageAuto')}</option>
        ${Object.entries(languages).map(
          ([tag, name]) =>
            html`<option value=${tag} lang=${tag} .selected=${chosen === tag}>${name}</option>`,
        )}
      </select>
      <p>${t('settings.english')}</p>
    </fieldset>`
  }

  readonly #speak = (event: Event): void => {
    settings.set({ language: (event.target as HTMLSelectElement).value as Language | '' })
  }

  #slider({ name, min, max, step }: Slider) {
    const value = settings.state[name]
    return html`<div class="slider">
      <span><label for=${name}>${t(`settings.${name}`)}</label><output for=${name}>${step < 1 ? decimal(value, 2) : grouped(value)}</output></span>
      <input
        id=${name}
        type="range"
        aria-describedby="${name}-hint"
        min=${min}
        max=${max}
        step=${step}
        .value=${String(value)}
        @input=${(event: Event) => settings.set({ [name]: Number((event.target as HTMLInputElement).value) })}
      />
      <small id="${name}-hint">${t(`settings.${name}Hint`)}</small>
    </div>`
  }

  #padding() {
    return html`<fieldset>
      <legend>${t('settings.lengths')}</legend>
      <p>${t('settings.padding')}</p>
      <div class="choices">
        ${paddings.map(
          ([padding, label]) => html`<label class="choice"
            ><input
              type="radio"
              name="padding"
              .checked=${settings.state.padding === padding}
              @change=${() => settings.set({ padding })}
            /><span>${t(label)}</span></label
          >`,
        )}
      </div>
    </fieldset>`
  }

  readonly #closed = (): void => this.renderRoot.querySelector('dialog')?.close()

  #backdrop(event: MouseEvent): void {
    if (event.target === event.currentTarget) (event.currentTarget as HTMLDialogElement).close()
  }
}

const keys = () => html`<fieldset class="keys">
  <legend>${t('settings.keys')}</legend>
  <p>${parts('settings.enter', { enter: html`<kbd>Enter</kbd>`, newline: html`<kbd>Shift</kbd> <kbd>Enter</kbd>` })}</p>
  <p>${parts('settings.esc', { esc: html`<kbd>Esc</kbd>`, newChat: html`<kbd>Ctrl</kbd> <kbd>Shift</kbd> <kbd>O</kbd>` })}</p>
</fieldset>`

customElements.define('sotto-settings', SettingsDialog)
