/** What went wrong, in plain words, with a way on. */
import { css, html, nothing } from 'lit'
import type { OwnerError } from '../../owner/api.ts'
import { t, theirs } from '../language.ts'
import * as icons from '../styles/icons.ts'
import { told } from '../trouble.ts'

const styles = css`
  .problem {
    padding: 16px 18px;
    border-radius: var(--radius);
    background: var(--danger-sheet);
    overflow-wrap: anywhere;
  }
  .problem h2 {
    color: var(--danger);
    font-size: 1rem;
    font-weight: 600;
  }
  .problem p {
    margin-top: 4px;
    font-size: 0.9375rem;
  }
  .problem summary {
    margin-top: 8px;
    color: var(--soft);
    font-size: 0.8125rem;
  }
  .problem small {
    display: block;
    margin-top: 6px;
    color: var(--soft);
    font-size: 0.8125rem;
  }
  .problem .button,
  .unanswered .button {
    margin-top: 12px;
  }
  .unanswered {
    color: var(--soft);
    font-size: 0.9375rem;
  }
`

/** Where it takes a key, its field; which is fetched then. */
function keyField(retry: () => void) {
  import('./key-field.ts').catch(() => undefined)
  return html`<sotto-key-field @opened=${retry}></sotto-key-field>`
}

const inWords = ({ headline, sentences, english }: ReturnType<typeof told>) => html`<h2>${headline}</h2>
  ${sentences.map((each) => html`<p>${each}</p>`)}
  ${
    english
      ? html`<details>
          <summary>${t('problem.said')}</summary>
          <p lang="en" dir="ltr">${english}</p>
        </details>`
      : nothing
  }`

export const problem = {
  styles,

  /** @param comfort what holds all the same, in the words of the model's protection */
  render: (
    error: OwnerError,
    retry: () => void,
    comfort?: string,
  ) => html`<section class="problem" role="alert">
    ${inWords(told(error))}
    ${error.code === 'key-needed' ? keyField(retry) : nothing}
    <button class="button" @click=${retry}>${icons.again} ${t('again')}</button>
    ${comfort ? html`<small>${theirs(comfort)}</small>` : nothing}
  </section>`,

  /** A question whose answer was stopped or lost, say by a reload. */
  unanswered: (retry: () => void) => html`<section class="unanswered">
    <p>${t('problem.unanswered')}</p>
    <button class="button" @click=${retry}>${icons.again} ${t('problem.answer')}</button>
  </section>`,
}
