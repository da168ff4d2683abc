/** What the person is waiting for before the first word: a download, a connection, or the reading of their message. */
import { css, html } from 'lit'
import { bytes } from '../format.ts'
import type { EngineState, Progress } from '../state/engine.ts'

const styles = css`
  .progress {
    display: grid;
    gap: 8px;
    max-width: 24rem;
    color: var(--soft);
    font: italic 1.0625rem/1.5 var(--serif);
  }
  progress {
    width: 100%;
    height: 4px;
    border: 0;
    border-radius: 2px;
    background: var(--sunk);
    overflow: hidden;
    appearance: none;
  }
  progress::-webkit-progress-bar {
    background: var(--sunk);
  }
  progress::-webkit-progress-value {
    background: var(--you);
    transition: inline-size 0.2s;
  }
  progress::-moz-progress-bar {
    background: var(--you);
  }
`

/** "Reading your message, privately: 12 of 40 tokens" and the like. */
export function describe({ phase, done, total, text, since }: Progress): string {
  if (phase === 'connect' || total === 0) return text
  const amount = phase === 'model' ? `${bytes(done)} of ${bytes(total)}` : `${done} of ${total} tokens`
  return `${text}: ${amount}${phase === 'model' ? left(done, total, since) : ''}`
}

/** How long the rest of a download takes at the pace so far; nothing before that can be told. */
function left(done: number, total: number, since: number | undefined): string {
  const seconds = since === undefined ? 0 : (performance.now() - since) / 1000
  if (seconds < 2 || done === 0 || done >= total) return ''
  const rest = (seconds / done) * (total - done)
  return rest < 90 ? `, about ${Math.ceil(rest)} s left` : `, about ${Math.round(rest / 60)} min left`
}

export const progress = {
  styles,
  render: (state: EngineState, stopping: boolean, what: 'message' | 'text') => {
    const { progress: now, phase, model } = state
    const how = model?.protection.notice.hidesTexts ? ', privately' : ''
    const waiting = phase === 'open' ? `Reading your ${what}${how}` : 'Connecting to the model'
    const text = stopping ? 'Stopping' : now ? describe(now) : waiting
    return html`<div class="progress">
      <span id="waiting">${text}…</span>
      ${
        now && now.total > 0 && !stopping
          ? html`<progress aria-labelledby="waiting" .value=${now.done} max=${now.total}></progress>`
          : html`<progress aria-labelledby="waiting"></progress>`
      }
    </div>`
  },
}
