/** The privacy notice: what the model's protection promises, and its limits, in its own words. */
import { css, html, nothing } from 'lit'
import type { Notice, Pooled, Task } from '../../owner/api.ts'

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
    padding-left: 16px;
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
    text-align: left;
  }
  th,
  td {
    padding: 8px 10px 8px 0;
    border-top: 1px solid var(--line);
    font-weight: 400;
    text-align: left;
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

/** What this browser keeps, whatever the protection. */
const kept = {
  chat: 'Conversations are stored in this browser: readable, unless you set a passphrase in the settings. A temporary chat isn’t stored.',
  classify:
    'Texts, files and labels are in this tab’s memory only, and gone with it. A CSV you download is readable.',
}
/** Whoever serves a page can read along. */
const origin =
  'This page’s code must come from an origin that you trust: whoever can change the code can read what you type. It ' +
  'belongs on a third origin, not on the model server’s.'

/** Whoever looked at it. */
const unaudited = 'Nobody from outside has audited Sotto yet.'
/** When something else is better. */
const local =
  'Where a model’s weights may be public, run it on your own device: that is simpler, and nobody has to be trusted. Sotto ' +
  'is for models whose weights must stay with their owner.'

const list = (items: readonly string[]) =>
  html`<ul>
    ${items.map((item) => html`<li>${item}</li>`)}
  </ul>`

const pooled = (parties: readonly Pooled[]) => html`<table>
  <caption>If two parties pool what they know</caption>
  <tbody>
    ${parties.map(
      ({ parties: names, isBreach, learn, detail }) => html`<tr>
        <th scope="row">${names}</th>
        <td>${isBreach ? html`<b>${learn}</b>` : html`<span class="fine">${learn}</span>`}${detail}</td>
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
        ? html`<h3>The promise</h3>
            <p>${notice.hidesTexts ? nothing : html`<b>${notice.title}. </b>`}${notice.promise}</p>
            <h3>What stays visible</h3>
            ${list(notice.visible[task])}`
        : nothing
    }
    <h3>Its limits</h3>
    ${list([...(notice?.limits ?? []), unaudited, origin, kept[task]])}
    <h3>Why not a model on this device?</h3>
    <p>${local}</p>
    ${notice && notice.pooled.length > 0 ? pooled(notice.pooled) : nothing}
  </div>`,
}
