/** Probabilities as bars, each with its label and number as text: the drawing adds nothing that isn't said. */
import { css, html, nothing } from 'lit'
import type { Classification, ModelListing } from '../../owner/api.ts'
import { decimal, percent } from '../format.ts'
import { t } from '../language.ts'
import { labelName } from '../names.ts'

const styles = css`
  .bars {
    display: grid;
    grid-template-columns: minmax(0, auto) minmax(48px, 1fr) auto;
    align-items: center;
    gap: 7px 14px;
    margin-top: 12px;
    font-size: 0.9375rem;
  }
  .bars li {
    display: grid;
    grid-template-columns: subgrid;
    grid-column: 1 / -1;
    align-items: center;
  }
  .bars span {
    overflow-wrap: anywhere;
  }
  .bars b {
    font-weight: 400;
    font-variant-numeric: tabular-nums;
    text-align: end;
  }
  .bars .top span,
  .bars .top b {
    font-weight: 600;
  }
  .bar {
    width: 100%;
    height: 10px;
  }
  .bar .all {
    fill: var(--sunk);
  }
  .bar .part {
    fill: var(--edge);
  }
  .top .bar .part {
    fill: var(--you);
  }
  .more {
    margin-top: 8px;
    font-size: 0.875rem;
  }
`

/** The number beside a result's label, where it has one: a probability, or a score. */
export function figure({ label, probabilities, scores }: Classification): string {
  const score = scores?.find((each) => each.label === label)
  if (score) return decimal(score.score, 3)
  const top = probabilities.find((each) => each.label === label)
  return top ? percent(top.probability) : ''
}

/** The width is an attribute of a drawing: the page's policy allows no inline styles. */
const bar = (probability: number) => html`<svg class="bar" aria-hidden="true">
  <rect class="all" width="100%" height="10" rx="5" />
  <rect class="part" width="${(100 * probability).toFixed(2)}%" height="10" rx="5" />
</svg>`

/** Labels beyond these wait for a click. */
const shown = 6

export const bars = {
  styles,
  render: (result: Classification, model: ModelListing | undefined, isOpen: boolean, toggle: () => void) => {
    const sorted = [...result.probabilities].sort((a, b) => b.probability - a.probability)
    const rest = sorted.length - shown
    return html`<ul class="bars" aria-label=${t('bars.probabilities')}>
        ${sorted.slice(0, isOpen ? undefined : shown).map(
          ({ label, probability }) => html`<li class=${label === result.label ? 'top' : ''}>
            <span dir="auto">${labelName(label, model)}</span>${bar(probability)}<b>${percent(probability)}</b>
          </li>`,
        )}
      </ul>
      ${
        rest > 0
          ? html`<button class="quiet more" aria-expanded=${isOpen} @click=${toggle}>
              ${isOpen ? t('bars.likeliest') : t('bars.more', { n: rest })}
            </button>`
          : nothing
      }`
  },
}
