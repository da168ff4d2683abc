/** Where a picture comes from: a file that is chosen, dropped, or pasted. It stays in this browser. */
import { css, html, LitElement, nothing } from 'lit'
import type { RgbaPicture } from '../../owner/api.ts'
import { t } from '../language.ts'
import { base } from '../styles/base.ts'
import { classifyLook } from '../styles/classify.ts'

/** A picture that somebody gave, with its file's name. */
export interface ChosenPicture {
  readonly name: string
  readonly picture: RgbaPicture
}

/** Larger ones are scaled down to this before they are handed on: models read far less. */
const MOST_SIDE = 1024

/** Sends `picture`, with a {@link ChosenPicture} as its detail. */
export class PictureField extends LitElement {
  static override properties = {
    disabled: { type: Boolean },
    hint: { attribute: false },
    trouble: { state: true },
    isOver: { state: true },
  }
  declare disabled: boolean
  /** What kind of picture is wanted, in words. */
  declare hint: string
  /** Why a file could not be taken. */
  declare trouble: string
  /** Whether a file is being held over this component. */
  declare isOver: boolean

  static override styles = [
    base,
    classifyLook,
    css`
      .drop {
        display: grid;
        place-items: center;
        gap: 12px;
        min-height: 168px;
        padding: 24px;
        border: 2px dashed var(--edge);
        border-radius: var(--radius);
        color: var(--soft);
        text-align: center;
      }
      .drop.over {
        border-color: var(--you);
      }
      .trouble {
        margin-top: 14px;
        padding: 12px 16px;
        border-radius: var(--radius);
        background: var(--danger-sheet);
        overflow-wrap: anywhere;
      }
    `,
  ]

  constructor() {
    super()
    this.disabled = false
    this.hint = t('picture.drop')
    this.trouble = ''
    this.isOver = false
  }

  override focus(): void {
    this.renderRoot.querySelector('button')?.focus()
  }

  protected override render() {
    return html`
      <div
        class=${this.isOver ? 'drop over' : 'drop'}
        @dragover=${this.#over}
        @dragleave=${this.#leave}
        @drop=${this.#drop}
      >
        <p>${this.hint}</p>
        <button class="button main" ?disabled=${this.disabled} @click=${this.#pick}>${t('picture.choose')}</button>
        <input class="hidden" type="file" tabindex="-1" aria-label=${t('picture.label')} accept="image/*" @change=${this.#chosen} />
      </div>
      ${this.trouble ? html`<p class="trouble" role="alert">${this.trouble}</p>` : nothing}
    `
  }

  async #file(file: File | undefined): Promise<void> {
    if (!file || this.disabled) return
    this.trouble = ''
    try {
      const detail: ChosenPicture = { name: file.name, picture: await decoded(file) }
      this.dispatchEvent(new CustomEvent('picture', { detail }))
    } catch {
      this.trouble = t('picture.unreadable', { name: file.name })
    }
  }

  readonly #pick = (): void => this.renderRoot.querySelector<HTMLInputElement>('input[type=file]')?.click()

  readonly #chosen = (event: Event): void => {
    const input = event.target as HTMLInputElement
    void this.#file(input.files?.[0])
    // A file that was changed may be chosen again under its name.
    input.value = ''
  }

  readonly #over = (event: DragEvent): void => {
    event.preventDefault()
    this.isOver = true
  }

  readonly #leave = (): void => {
    this.isOver = false
  }

  readonly #drop = (event: DragEvent): void => {
    event.preventDefault()
    this.isOver = false
    void this.#file(event.dataTransfer?.files[0])
  }
}

/** Rejects for what is no picture. */
async function decoded(file: Blob): Promise<RgbaPicture> {
  const bitmap = await createImageBitmap(file)
  const scale = Math.min(1, MOST_SIDE / Math.max(bitmap.width, bitmap.height))
  const [width, height] = [bitmap.width, bitmap.height].map((side) => Math.max(1, Math.round(scale * side)))
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true })
  if (!context) throw new Error('There is no canvas.')
  context.drawImage(bitmap, 0, 0, width, height)
  bitmap.close()
  const { data } = context.getImageData(0, 0, width, height)
  return { width, height, data }
}

customElements.define('sotto-picture-field', PictureField)
