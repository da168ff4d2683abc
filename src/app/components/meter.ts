/** A row of ticks, as on a quiet ruler; filled as far as the engine has worked ahead. */
import { css, html, svg } from 'lit'

/** Preparation further ahead than this needs no showing. */
const ticks = 24

const styles = css`
  .meter {
    flex: none;
  }
  @media (max-width: 560px) {
    .meter {
      width: 48px;
    }
  }
  .tick {
    stroke: var(--line);
  }
  .tick.on {
    stroke: var(--you);
  }
`

const tick = (at: number, on: boolean) =>
  svg`<path class=${on ? 'tick on' : 'tick'} d="M${at * 4 + 2} ${on ? 1 : 3}V9"/>`

export const meter = {
  styles,
  render: (
    ready: number,
  ) => html`<svg class="meter" width="96" height="10" viewBox="0 0 96 10" preserveAspectRatio="xMinYMid slice" stroke-width="1.6" stroke-linecap="round" aria-hidden="true">
    ${Array.from({ length: ticks }, (_, at) => tick(at, at < ready))}
  </svg>`,
}
