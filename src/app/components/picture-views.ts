/** A picture as the model was shown it, and beside it what the model's host could make of it. */
import { css, html, nothing } from 'lit'
import { ref } from 'lit/directives/ref.js'
import type { PictureView } from '../../owner/api.ts'
import { t } from '../language.ts'

const styles = css`
  .views {
    display: flex;
    flex-wrap: wrap;
    gap: 20px;
    margin-top: 14px;
  }
  .views figure {
    width: 160px;
    margin: 0;
  }
  .views canvas {
    display: block;
    width: 160px;
    height: 160px;
    border-radius: 10px;
    background: #000;
    image-rendering: pixelated;
  }
  .views figcaption {
    margin-top: 6px;
    color: var(--soft);
    font-size: 0.875rem;
    line-height: 1.4;
  }
`

/** Draws bytes `[channels, rows, columns]` when its canvas is there. */
const drawn =
  (side: number, channels: number, bytes: Uint8Array) =>
  (canvas?: Element): void => {
    if (!(canvas instanceof HTMLCanvasElement)) return
    const image = new ImageData(side, side)
    for (let i = 0; i < side * side; i++) {
      for (let c = 0; c < 3; c++) image.data[4 * i + c] = bytes[(channels === 1 ? 0 : c) * side * side + i]
      image.data[4 * i + 3] = 255
    }
    canvas.getContext('2d')?.putImageData(image, 0, 0)
  }

const figure = (
  { side, channels }: PictureView,
  bytes: Uint8Array,
  name: string,
  caption: string,
) => html`<figure>
  <canvas width=${side} height=${side} role="img" aria-label=${name} ${ref(drawn(side, channels, bytes))}></canvas>
  <figcaption>${caption}</figcaption>
</figure>`

export const pictureViews = {
  styles,
  render: (view: PictureView) => html`<div class="views">
    ${figure(view, view.own, t('picture.yours'), t('picture.shown'))}
    ${view.cloud ? figure(view, view.cloud, t('picture.host'), t('picture.cloud')) : nothing}
  </div>`,
}
