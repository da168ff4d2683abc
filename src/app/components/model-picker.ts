/** Which of the server's models answers, where it offers several. */
import { css, html, LitElement, nothing } from 'lit'
import type { ModelListing } from '../../owner/api.ts'
import { t } from '../language.ts'
import { byTask, modelName } from '../names.ts'
import { stopAll } from '../state/activity.ts'
import { engine } from '../state/engine.ts'
import { base } from '../styles/base.ts'

/** Ends what the old model was computing, then opens a session with the new one. */
export async function choose(model: ModelListing): Promise<void> {
  await stopAll()
  await engine.use(model)
}

export class ModelPicker extends LitElement {
  static override properties = { models: { state: true }, chosen: { state: true } }
  declare models: readonly ModelListing[]
  declare chosen: string | undefined

  static override styles = [
    base,
    css`
      :host {
        min-width: 0;
      }
      select {
        max-width: min(100%, 15rem);
        height: 40px;
        padding: 0 6px;
        border: 1px solid transparent;
        border-radius: 10px;
        background: transparent;
        color: var(--ink);
        font-size: 0.9375rem;
        text-overflow: ellipsis;
      }
      select:hover {
        border-color: var(--edge);
      }
      option {
        background: var(--sheet);
      }
    `,
  ]

  #stop?: () => void

  override connectedCallback(): void {
    super.connectedCallback()
    // The engine changes with every message; this component only with its models.
    const read = () => {
      this.models = engine.state.models
      this.chosen = engine.state.model?.name
      this.toggleAttribute('several', this.models.length > 1)
    }
    read()
    this.#stop = engine.subscribe(read)
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#stop?.()
  }

  protected override render() {
    if (this.models.length < 2) return nothing
    return html`<select aria-label=${t('model')} title=${t('model')} @change=${this.#pick}>
      ${byTask(this.models).map(({ name, models }) => html`<optgroup label=${t(name)}>${models.map((model) => this.#option(model))}</optgroup>`)}
    </select>`
  }

  #option(model: ModelListing) {
    const isChosen = model.name === this.chosen
    return html`<option value=${model.name} ?selected=${isChosen} .selected=${isChosen}>${modelName(model)}</option>`
  }

  #pick(event: Event): void {
    const name = (event.target as HTMLSelectElement).value
    const model = this.models.find((candidate) => candidate.name === name)
    if (model) void choose(model)
  }
}

customElements.define('sotto-model-picker', ModelPicker)
