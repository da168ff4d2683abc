/** Settings, the kept data, and the keys of the keyboard. */
import { css, html, nothing } from 'lit'
import type { ModelListing, Padding } from '../../owner/api.ts'
import { DeferredElement } from '../defer.ts'
import { bytes, count } from '../format.ts'
import { modelName } from '../names.ts'
import { engine } from '../state/engine.ts'
import { settings, type Theme } from '../state/settings.ts'
import { Watch } from '../state/store.ts'
import { base } from '../styles/base.ts'
import { form } from '../styles/form.ts'
import * as icons from '../styles/icons.ts'
import './kept-data.ts'
import { choose } from './model-picker.ts'

const themes: [Theme, string][] = [
  ['auto', 'As the device'],
  ['light', 'Light'],
  ['dark', 'Dark'],
]

const paddings: [Padding, string][] = [
  ['blocks', 'Hide it'],
  ['none', 'Faster'],
]

interface Slider {
  name: 'temperature' | 'topP' | 'maxTokens'
  label: string
  hint: string
  min: number
  max: number
  step: number
}

const sliders: Slider[] = [
  {
    name: 'temperature',
    label: 'Temperature',
    hint: '0 always takes the likeliest word',
    min: 0,
    max: 1.5,
    step: 0.05,
  },
  {
    name: 'topP',
    label: 'Top-p',
    hint: 'how much of the likeliest words to choose from',
    min: 0.05,
    max: 1,
    step: 0.05,
  },
  {
    name: 'maxTokens',
    label: 'Longest reply, in tokens',
    hint: 'about three quarters of a word each',
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
      .model {
        display: flex;
        gap: 12px;
        padding: 10px 0;
      }
      .model small {
        display: block;
        color: var(--soft);
        font-size: 0.8125rem;
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
    const { models } = engine.state
    return html`<dialog aria-labelledby="title" @click=${this.#backdrop}>
      <form method="dialog">
        <header>
          <h2 id="title">Settings</h2>
          <button class="icon" aria-label="Close" title="Close">${icons.close}</button>
        </header>
        ${models.length > 1 ? this.#models(models) : nothing}
        <fieldset>
          <legend>Replies</legend>
          ${sliders.map((slider) => this.#slider(slider))}
        </fieldset>
        ${this.#padding()}
        <fieldset>
          <legend>Appearance</legend>
          <div class="choices">
            ${themes.map(
              ([theme, label]) => html`<label class="choice"
                ><input
                  type="radio"
                  name="theme"
                  .checked=${settings.state.theme === theme}
                  @change=${() => settings.set({ theme })}
                /><span>${label}</span></label
              >`,
            )}
          </div>
        </fieldset>
        ${keys}
      </form>
      <sotto-kept-data @erased=${this.#closed}></sotto-kept-data>
    </dialog>`
  }

  #models(models: ModelListing[]) {
    return html`<fieldset>
      <legend>Model</legend>
      ${models.map(
        (model) => html`<label class="model"
          ><input
            type="radio"
            name="model"
            .checked=${model.name === engine.state.model?.name}
            @change=${() => choose(model)}
          /><span
            >${modelName(model)}<small
              >${count(model.parameters)} parameters, ${count(model.privateParameters)} private · ${bytes(model.publicBytes)} to
              download once · ${model.licence}</small
            ></span
          ></label
        >`,
      )}
    </fieldset>`
  }

  #slider({ name, label, hint, min, max, step }: Slider) {
    const value = settings.state[name]
    return html`<div class="slider">
      <span><label for=${name}>${label}</label><output for=${name}>${value}</output></span>
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
      <small id="${name}-hint">${hint}</small>
    </div>`
  }

  #padding() {
    return html`<fieldset>
      <legend>How long messages and replies are</legend>
      <p>The model server and the dealer see how much work they are. To hide their lengths, the end of a message is read as
        slowly as a reply is written, up to 8 tokens of it, and the work goes on to a multiple of 16 tokens: a reply of one
        word is as slow as one of a sentence.</p>
      <div class="choices">
        ${paddings.map(
          ([padding, label]) => html`<label class="choice"
            ><input
              type="radio"
              name="padding"
              .checked=${settings.state.padding === padding}
              @change=${() => settings.set({ padding })}
            /><span>${label}</span></label
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

const keys = html`<fieldset class="keys">
  <legend>Keys</legend>
  <p><kbd>Enter</kbd> sends, <kbd>Shift</kbd> <kbd>Enter</kbd> starts a new line</p>
  <p><kbd>Esc</kbd> stops a reply, <kbd>Ctrl</kbd> <kbd>Shift</kbd> <kbd>O</kbd> starts a new chat</p>
</fieldset>`

customElements.define('sotto-settings', SettingsDialog)
