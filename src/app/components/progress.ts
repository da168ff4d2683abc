/** What the person is waiting for before the first word: a download, a connection, or the reading of their message. */
import { css, html } from 'lit'
import { bytes } from '../format.ts'
import { sentence, t } from '../language.ts'
import type { EngineState, Progress } from '../state/engine-state.ts'

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
  if (phase === 'connect' || total === 0) return sentence(text)
  if (phase !== 'model') return t('progress.tokens', { text: sentence(text), done, n: total })
  return left(t('progress.amount', { text: sentence(text), done: bytes(done), total: bytes(total) }), {
    done,
    total,
    since,
  })
}

/** How long the rest of a download takes at the pace so far; nothing before that can be told. */
function left(amount: string, { done, total, since }: Pick<Progress, 'done' | 'total' | 'since'>): string {
  const seconds = since === undefined ? 0 : (performance.now() - since) / 1000
  if (seconds < 2 || done === 0 || done >= total) return amount
  const rest = (seconds / done) * (total - done)
  if (rest < 90) return t('progress.seconds', { amount, n: Math.ceil(rest) })
  return t('progress.minutes', { amount, n: Math.round(rest / 60) })
}

export const progress = {
  styles,
  render: (state: EngineState, stopping: boolean, what: 'message' | 'text') => {
    const { progress: now, phase, model } = state
    const reading = model?.protection.notice.hidesTexts
      ? (`progress.${what}Privately` as const)
      : (`progress.${what}` as const)
    const waiting = t(phase === 'open' ? reading : 'progress.connecting')
    const text = stopping ? t('progress.stopping') : now ? describe(now) : waiting
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
