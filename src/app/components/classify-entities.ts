/** Entities where they stand in a text: each is marked, and says in words what it is. */
import { css, html } from 'lit'
import type { TaggedSpan } from '../../owner/api.ts'
import { percent } from '../format.ts'
import { t } from '../language.ts'
import { labelName } from '../names.ts'

const styles = css`
  .tagged {
    margin-top: 12px;
    overflow-wrap: anywhere;
    line-height: 2;
    white-space: pre-wrap;
  }
  .tagged mark {
    padding: 2px 5px;
    border-radius: 5px;
    background: var(--sunk);
    color: inherit;
  }
  .tagged small {
    margin-inline-start: 4px;
    color: var(--soft);
    font-size: 0.75rem;
  }
`

export const entities = {
  styles,
  render(text: string, found: readonly TaggedSpan[]) {
    const ends = [0, ...found.map(({ end }) => end)]
    return html`<p class="tagged" dir="auto" aria-label=${t('entities.label')}>${found.map(
      ({ start, end, label, probability }, at) =>
        html`${text.slice(ends[at], start)}<mark title=${percent(probability)}>${text.slice(start, end)}<small>${labelName(label, undefined)}</small></mark>`,
    )}${text.slice(ends[found.length])}</p>`
  },
}
