/** A picture and a question on it. Both stay in this browser. */
import { css, html, LitElement, nothing } from 'lit'
import type { ClassifyInput } from '../../owner/api.ts'
import { t } from '../language.ts'
import { base } from '../styles/base.ts'
import { classifyLook } from '../styles/classify.ts'
import * as icons from '../styles/icons.ts'
import './picture-field.ts'
import type { ChosenPicture, PictureField } from './picture-field.ts'

/** Kinds of questions that the demonstration's model has learned, in the language that it reads. */
const examples = ['What is at the top left?', 'How many bags are there?', 'What do you see?'] as const

/** Sends `asked`, with a `ClassifyInput` as its detail, and `stopped`. */
export class PictureQuestion extends LitElement {
  static override properties = {
    busy: { type: Boolean },
    running: { type: Boolean },
    stopping: { type: Boolean },
    chosen: { state: true },
    question: { state: true },
  }
  /** Whether something is being computed; and whether it is this. */
  declare busy: boolean
  declare running: boolean
  declare stopping: boolean
  declare chosen: ChosenPicture | undefined
  declare question: string

  static override styles = [
    base,
    classifyLook,
    css`
      form {
        margin-top: 18px;
      }
      input {
        width: 100%;
        min-height: 48px;
        padding: 0 16px;
        border: 1px solid var(--edge);
        border-radius: var(--radius);
        background: var(--sheet);
        font-size: 1.0625rem;
      }
      .picture {
        margin-top: 10px;
        overflow-wrap: anywhere;
      }
    `,
  ]

  constructor() {
    super()
    this.busy = false
    this.running = false
    this.stopping = false
    this.question = ''
  }

  override focus(): void {
    this.renderRoot.querySelector<PictureField>('sotto-picture-field')?.focus()
  }

  protected override render() {
    const { chosen, question, busy } = this
    return html`
      <sotto-picture-field .hint=${t('picture.dropFour')} ?disabled=${busy} @picture=${this.#picture}></sotto-picture-field>
      ${chosen ? html`<p class="picture" role="status">${t('ask.about', { name: chosen.name })}</p>` : nothing}
      <form @submit=${this.#submit}>
        <label class="name" for="question">${t('ask.question')}</label>
        <input id="question" dir="auto" autocomplete="off" maxlength="200" .value=${question} @input=${this.#input} />
        <div class="actions">
          ${
            this.running
              ? html`<button class="button" type="button" ?disabled=${this.stopping} @click=${this.#stop}>${icons.stop} ${t('stop')}</button>`
              : html`<button class="button main" ?disabled=${!chosen || question.trim() === '' || busy}>${t('ask')}</button>`
          }
          ${examples.map(
            (example) =>
              html`<button class="quiet" type="button" lang="en" ?disabled=${busy} @click=${() => this.#example(example)}>${example}</button>`,
          )}
        </div>
      </form>
    `
  }

  #ask(): void {
    const text = this.question.trim()
    if (!this.chosen || text === '' || this.busy) return
    const detail: ClassifyInput = { text, picture: this.chosen.picture }
    this.dispatchEvent(new CustomEvent('asked', { detail }))
  }

  #example(question: string): void {
    this.question = question
    this.#ask()
  }

  readonly #picture = (event: Event): void => {
    this.chosen = (event as CustomEvent<ChosenPicture>).detail
    this.#ask()
  }

  readonly #input = (event: Event): void => {
    this.question = (event.target as HTMLInputElement).value
  }

  readonly #submit = (event: Event): void => {
    event.preventDefault()
    this.#ask()
  }

  readonly #stop = (): void => {
    this.dispatchEvent(new Event('stopped'))
  }
}

customElements.define('sotto-picture-question', PictureQuestion)
