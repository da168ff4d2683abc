/** The privacy notice: what a protection promises, and its limits, in plain words. */
import { css, html } from 'lit'
import type { Task } from '../../owner/api.ts'

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
  td b {
    color: var(--danger);
    font-weight: 600;
  }
  .fine {
    color: var(--you);
  }
`

/** What the other parties learn by watching, and what this browser keeps. */
const seen = {
  chat: html`<li>How long your messages and the replies are, in tokens.</li>
    <li>When you chat, when you stop a reply, and how much of the conversation an edit keeps.</li>`,
  classify: html`<li>How many texts you send, when, and when you stop.</li>
    <li>How long each text is, in tokens, rounded up to 16, 32, 64, 128, 256 or 512.</li>`,
}
const kept = {
  chat: html`<li>The conversation is stored readable in this browser. A temporary chat isn’t stored.</li>`,
  classify: html`<li>Texts, files and labels are in this tab’s memory only, and gone with it. A CSV you download is readable.</li>`,
}

export const privacyNotice = {
  styles,
  render: (task: Task = 'chat') => html`<div class="privacy">
    <h3>The promise</h3>
    <p>
      Every number that leaves this browser is hidden by a mask that is used once and that the server doesn’t know. The server
      computes on masked numbers, the dealer only hands out masks, and the result comes together here. The model’s private
      weights stay with the server in the same way.
    </p>

    <h3>What stays visible</h3>
    <ul>
      ${seen[task]}
      <li>Your network address, the model’s name and its public shape.</li>
    </ul>

    <h3>Its limits</h3>
    <ul>
      <li>All parties must follow the protocol. A curious party learns nothing; one that cheats may.</li>
      <li>The server and the dealer must be run by different people who don’t pool what they hold.</li>
      <li>
        This page’s code must come from an origin that you trust: whoever can change the code can read what you type. It
        belongs on a third origin, not on the model server’s.
      </li>
      ${kept[task]}
    </ul>
    <table>
      <caption>If two parties pool what they know</caption>
      <tbody>
        <tr><th scope="row">server + dealer</th><td><b>recover your text.</b></td></tr>
        <tr>
          <th scope="row">dealer + a user</th>
          <td><b>recover the private weights</b>; the dealer can pose as a user.</td>
        </tr>
        <tr>
          <th scope="row">server + a user</th>
          <td><span class="fine">learn nothing of other users’ words</span>, nothing beyond what that user computes.</td>
        </tr>
      </tbody>
    </table>
  </div>`,
}
