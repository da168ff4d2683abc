/** The models on offer, by what they are for, with what a person chooses by. */
import { css, html, LitElement, nothing } from 'lit'
import type { ModelListing } from '../../owner/api.ts'
import { bytes, count, decimal, percent } from '../format.ts'
import { t, theirs } from '../language.ts'
import { byTask, modelName } from '../names.ts'
import { downloads } from '../state/downloads.ts'
import { engine } from '../state/engine.ts'
import { paceOf } from '../state/pace.ts'
import { Watch } from '../state/store.ts'
import { base } from '../styles/base.ts'
import { form } from '../styles/form.ts'
import { choose } from './model-picker.ts'

export class ModelChoice extends LitElement {
  static override styles = [
    base,
    form,
    css`
      h3 {
        margin-top: 8px;
        color: var(--soft);
        font-size: 0.8125rem;
        font-weight: 600;
      }
      .model {
        display: flex;
        align-items: flex-start;
        gap: 12px;
        padding: 10px 0;
      }
      .model label {
        flex: 1;
        min-width: 0;
        overflow-wrap: anywhere;
      }
      .model input {
        flex: none;
        margin-block-start: 5px;
      }
      small {
        display: block;
        color: var(--soft);
        font-size: 0.8125rem;
      }
      .open {
        color: var(--danger);
      }
      .remove {
        flex: none;
        min-height: 32px;
        padding: 0 10px;
        font-size: 0.8125rem;
      }
    `,
  ]

  constructor() {
    super()
    new Watch(this, engine, downloads)
  }

  override connectedCallback(): void {
    super.connectedCallback()
    void downloads.look()
  }

  protected override render() {
    return html`<fieldset>
      <legend>${t('model')}</legend>
      ${byTask(engine.state.models).map(
        ({ name, models }) =>
          html`<h3>${t(name)}</h3>
            ${models.map((model) => this.#model(model))}`,
      )}
    </fieldset>`
  }

  #model(model: ModelListing) {
    const { hidesTexts, title, summary } = model.protection.notice
    const here = downloads.state.bytes[model.name]
    const pace = paceOf(model)
    const { publicBytes, licence, evaluation } = model
    const size = here
      ? t('models.here', { size: bytes(here) })
      : publicBytes > 0 && t('models.size', { size: bytes(publicBytes) })
    const speed =
      pace && t(model.task === 'classify' ? 'models.texts' : 'models.words', { rate: decimal(pace) })
    const accuracy =
      evaluation && t('models.accuracy', { share: percent(evaluation.accuracy), n: evaluation.texts })
    const numbers = t('model.parameters', {
      count: count(model.parameters),
      private: count(model.privateParameters),
    })
    return html`<div class="model">
      <input
        id="model-${model.name}"
        type="radio"
        name="model"
        aria-describedby="about-${model.name}"
        .checked=${model.name === engine.state.model?.name}
        @change=${() => choose(model)}
      />
      <label for="model-${model.name}">
        ${modelName(model)}
        <small id="about-${model.name}">
          <span class=${hidesTexts ? '' : 'open'}>${theirs(title)}</span>: ${theirs(summary)}<br />
          ${[numbers, size, licence, accuracy, speed].filter(Boolean).join(' · ')}
        </small>
      </label>
      ${
        here
          ? html`<button class="button remove" type="button" aria-label=${t('models.removeOf', { name: modelName(model) })} @click=${() => downloads.remove(model)}>
              ${t('models.remove')}
            </button>`
          : nothing
      }
    </div>`
  }
}

customElements.define('sotto-model-choice', ModelChoice)
