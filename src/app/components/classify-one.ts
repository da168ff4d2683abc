/** One text, or a pair, and its label. */
import { css, html, LitElement, nothing } from 'lit'
import type { ClassifyInput } from '../../owner/api.ts'
import { bytes, decimal, word } from '../format.ts'
import { sentence, t } from '../language.ts'
import { labelName } from '../names.ts'
import { classifier, type Labelled } from '../state/classify.ts'
import { engine } from '../state/engine.ts'
import { Watch } from '../state/store.ts'
import { base } from '../styles/base.ts'
import { classifyLook } from '../styles/classify.ts'
import * as icons from '../styles/icons.ts'
import { bars, figure } from './classify-bars.ts'
import { entities } from './classify-entities.ts'
import './picture-field.ts'
import type { ChosenPicture } from './picture-field.ts'
import './picture-question.ts'
import { pictureViews } from './picture-views.ts'
import { problem } from './problem.ts'
import { progress } from './progress.ts'

export class ClassifyOne extends LitElement {
  static override properties = { isOpen: { state: true }, isEmpty: { state: true } }
  /** Whether all labels show. */
  declare isOpen: boolean
  declare isEmpty: boolean

  static override styles = [
    base,
    classifyLook,
    css`
      .waiting {
        min-height: 3.4em;
        margin-top: 14px;
      }
      .result {
        padding-bottom: 8px;
      }
      h3 {
        font: 400 italic clamp(1.6rem, 1.2rem + 1.6vw, 2.25rem) / 1.2 var(--serif);
        overflow-wrap: anywhere;
      }
      .asked {
        color: var(--soft);
        overflow-wrap: anywhere;
      }
      .cost {
        margin-top: 14px;
        color: var(--soft);
        font-size: 0.8125rem;
        font-variant-numeric: tabular-nums;
      }
      .wire {
        display: block;
        width: 100%;
        margin-top: 4px;
        overflow: hidden;
        color: var(--soft);
        font: 0.8125rem/1.6 var(--mono);
        white-space: nowrap;
        mask-image: linear-gradient(to right, #000 70%, transparent);
      }
      .wire:dir(rtl) {
        mask-image: linear-gradient(to left, #000 70%, transparent);
      }
      .wire em {
        color: var(--server);
        font: italic 0.9375rem/1.6 var(--serif);
      }
      .wire:hover {
        color: var(--ink);
      }
    `,
    bars.styles,
    entities.styles,
    pictureViews.styles,
    problem.styles,
    progress.styles,
  ]

  /** The picture that was chosen last. */
  #last?: ClassifyInput
  /** The result that has been brought into view. */
  #shown?: Labelled

  constructor() {
    super()
    this.isOpen = false
    this.isEmpty = true
    new Watch(this, classifier, engine)
  }

  protected override updated(): void {
    const { one } = classifier.state
    if (one && one !== this.#shown)
      requestAnimationFrame(() =>
        this.renderRoot.querySelector('.result')?.scrollIntoView({ block: 'nearest' }),
      )
    this.#shown = one
  }

  override focus(): void {
    this.renderRoot
      .querySelector<HTMLElement>('textarea, sotto-picture-field, sotto-picture-question')
      ?.focus()
  }

  protected override render() {
    const { busy, stopping, one } = classifier.state
    const { pairs = false, reads, outputs } = engine.state.model ?? {}
    if (reads === 'pictures')
      return html`
        ${
          outputs === 'text'
            ? html`<sotto-picture-question
                ?busy=${busy !== undefined}
                ?running=${busy === 'one'}
                ?stopping=${stopping}
                @asked=${this.#asked}
                @stopped=${() => classifier.stop()}
              ></sotto-picture-question>`
            : html`<sotto-picture-field .hint=${t('picture.drop')} ?disabled=${busy !== undefined} @picture=${this.#picture}></sotto-picture-field>`
        }
        <div class="waiting">${busy === 'one' ? this.#waiting(stopping) : this.#outcome(one)}</div>
      `
    return html`
      <form @submit=${this.#submit} @keydown=${this.#keys} @input=${this.#input}>
        <label class="name" for="text">${t(pairs ? 'one.first' : 'one.text')}</label>
        <textarea id="text" dir="auto" rows="3" autocomplete="off" placeholder=${t('one.write')}></textarea>
        ${
          pairs
            ? html`<label class="name" for="pair">${t('one.second')}</label>
                <textarea id="pair" dir="auto" rows="3" autocomplete="off" placeholder=${t('one.compare')}></textarea>`
            : nothing
        }
        <div class="actions">
          ${
            busy === 'one'
              ? html`<button class="button" type="button" ?disabled=${stopping} @click=${() => classifier.stop()}>${icons.stop} ${t('stop')}</button>`
              : html`<button class="button main" ?disabled=${this.isEmpty || busy !== undefined}>${t('classify')}</button>`
          }
          <small>${t(busy === 'many' ? 'one.batch' : 'one.keys')}</small>
        </div>
      </form>
      <div class="waiting">
        ${busy === 'one' ? this.#waiting(stopping) : this.#outcome(one)}
      </div>
    `
  }

  #waiting(stopping: boolean) {
    const { phase, progress: now } = engine.state
    // One text is one step: there is nothing to count once the session is open.
    const state = { ...engine.state, progress: phase === 'open' ? undefined : now }
    return progress.render(state, stopping, 'text')
  }

  #outcome(one: Labelled | undefined) {
    const error = classifier.state.error ?? engine.state.error
    if (error) return problem.render(error, this.#again, engine.state.model?.protection.notice.afterFailure)
    return one ? this.#result(one) : nothing
  }

  #result({ input, result, seconds, traffic, wire }: Labelled) {
    const number = figure(result)
    const { ownerUp, ownerDown, dealerToServer, hops } = traffic
    const { model } = engine.state
    const { dealt } = model?.protection.notice ?? {}
    return html`<section class="result" aria-label=${t('one.result')}>
      <h3 dir="auto">${model?.outputs === 'text' ? result.label : labelName(result.label, model)}${number ? html`, ${number}` : nothing}</h3>
      ${model?.outputs === 'text' ? html`<p class="asked" dir="auto">${input.text}</p>` : nothing}
      ${result.entities ? entities.render(input.text, result.entities) : nothing}
      ${result.view ? pictureViews.render(result.view) : nothing}
      ${result.probabilities.length > 0 ? bars.render(result, model, this.isOpen, this.#toggle) : nothing}
      ${result.isCut ? html`<p class="note">${t('one.cut')}</p>` : nothing}
      <details class="cost">
        <summary>${t(model?.protection.notice.hidesTexts ? 'one.tookPrivately' : 'one.took', { seconds: decimal(seconds) })}</summary>
        ${t('hops', { n: hops })} · ${t('one.between', { amount: bytes(ownerUp + ownerDown) })}${
          dealt
            ? html` · ${t('one.dealt', { amount: bytes(dealerToServer), what: sentence(dealt) })}`
            : nothing
        }
      </details>
      ${
        wire.length > 0
          ? html`<button class="wire" title=${t('wire.title')} @click=${this.#openPanel}>
              <em>${t('wire.sample')}</em> <bdi dir="ltr">${wire.map(word).join(' ')}</bdi>
            </button>`
          : nothing
      }
    </section>`
  }

  #read(): ClassifyInput | undefined {
    if (engine.state.model?.reads === 'pictures') return this.#last
    const fields = [...this.renderRoot.querySelectorAll('textarea')].map(({ value }) => value.trim())
    if (fields.length === 0 || fields.includes('')) return undefined
    const [text, pair] = fields
    return pair === undefined ? { text } : { text, pair }
  }

  readonly #picture = (event: Event): void => {
    const { name, picture } = (event as CustomEvent<ChosenPicture>).detail
    this.#look({ text: name, picture })
  }

  readonly #asked = (event: Event): void => this.#look((event as CustomEvent<ClassifyInput>).detail)

  #look(input: ClassifyInput): void {
    this.isOpen = false
    this.#last = input
    void classifier.one(input)
  }

  readonly #toggle = (): void => {
    this.isOpen = !this.isOpen
  }

  readonly #input = (): void => {
    this.isEmpty = this.#read() === undefined
    engine.prepare()
  }

  readonly #keys = (event: KeyboardEvent): void => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey) && !event.isComposing) this.#submit(event)
    else if (event.key === 'Escape' && classifier.state.busy === 'one') void classifier.stop()
  }

  readonly #submit = (event: Event): void => {
    event.preventDefault()
    const input = this.#read()
    if (!input || classifier.state.busy) return
    this.isOpen = false
    void classifier.one(input)
  }

  /** After an error: the text once more, or the connection where there is none yet. */
  readonly #again = (): void => {
    const input = this.#read()
    if (input) void classifier.one(input)
    else engine.ready().catch(() => undefined)
  }

  readonly #openPanel = (): void => {
    this.dispatchEvent(new Event('open-panel', { bubbles: true, composed: true }))
  }
}

customElements.define('sotto-classify-one', ClassifyOne)
