/** The privacy notice: what the model's protection promises, and its limits, in its own words. */
import { css, html, nothing } from 'lit'
import type { Notice, Pooled, Task } from '../../owner/api.ts'
import { t, theirs } from '../language.ts'

const styles = css`
  .privacy h3 {
    margin-top: 26px;
    padding-top: 16px;
    border-top: 1px solid var(--line);
    font: italic 1.1875rem/1.3 var(--serif);
  }
  .privacy p,
  .privacy li {
    margin-top: 7px;
    font-size: 0.9375rem;
    line-height: 1.5;
  }
  .privacy li {
    padding-inline-start: 16px;
    text-indent: -16px;
  }
  .privacy li::before {
    content: '–';
    display: inline-block;
    width: 16px;
    color: var(--soft);
    text-indent: 0;
  }
  .privacy li > * {
    text-indent: 0;
  }
  table {
    width: 100%;
    margin-top: 10px;
    border-collapse: collapse;
    font-size: 0.9375rem;
    line-height: 1.4;
  }
  caption {
    padding-bottom: 4px;
    color: var(--soft);
    text-align: start;
  }
  th,
  td {
    padding: 8px 10px 8px 0;
    border-top: 1px solid var(--line);
    font-weight: 400;
    text-align: start;
    vertical-align: top;
  }
  th {
    width: 42%;
  }
  td b,
  p b {
    color: var(--danger);
    font-weight: 600;
  }
  .fine {
    color: var(--you);
  }
`

const list = (items: readonly unknown[]) =>
  html`<ul>
    ${items.map((item) => html`<li>${item}</li>`)}
  </ul>`

const pooled = (parties: readonly Pooled[]) => html`<table>
  <caption>${t('notice.pooled')}</caption>
  <tbody>
    ${parties.map(
      ({ parties: names, isBreach, learn, detail }) => html`<tr>
        <th scope="row">${theirs(names)}</th>
        <td>${isBreach ? html`<b>${theirs(learn)}</b>` : html`<span class="fine">${theirs(learn)}</span>`}${theirs(detail)}</td>
      </tr>`,
    )}
  </tbody>
</table>`

export const privacyNotice = {
  styles,
  /** @param notice of the chosen model's protection; without a model there is nothing to promise yet */
  render: (task: Task = 'chat', notice?: Notice) => html`<div class="privacy">
    ${
      notice
        ? html`<h3>${t('notice.promise')}</h3>
            <p>${notice.hidesTexts ? nothing : html`<b>${theirs(notice.title)}. </b>`}${theirs(notice.promise)}</p>
            <h3>${t('notice.visible')}</h3>
            ${list(notice.visible[task].map(theirs))}`
        : nothing
    }
    <h3>${t('notice.limits')}</h3>
    ${list([...(notice?.limits ?? []).map(theirs), t('notice.unaudited'), t('notice.origin'), t(`notice.kept.${task}`)])}
    <h3>${t('notice.why')}</h3>
    <p>${t('notice.local')}</p>
    ${notice && notice.pooled.length > 0 ? pooled(notice.pooled) : nothing}
  </div>`,
}
