/** What went wrong, in plain words, with a way on. */
import { css, html, nothing } from 'lit'
import type { OwnerError } from '../../owner/api.ts'
import * as icons from '../styles/icons.ts'
import './key-field.ts'

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

/** Headlines for the errors that the engine names; anything else gets a general one. */
const headlines: Record<string, string> = {
  'server-unreachable': 'The model server isn’t answering',
  'server-absent': 'The model server isn’t answering',
  'server-away': 'The model server isn’t answering',
  'dealer-away': 'The dealer isn’t answering',
  offline: 'You are offline',
  crashed: 'The engine in this tab has stopped',
  'dealer-unreachable': 'The dealer isn’t answering',
  'dealer-lost': 'The dealer has gone',
  'wrong-dealer-key': 'This isn’t the dealer this page trusts',
  'audit-failed': 'The dealer failed an audit',
  'wrong-server-key': 'This isn’t the model server it claims to be',
  'unknown-model': 'That model isn’t on offer',
  'model-hash': 'The model isn’t the one that was announced',
  'plan-mismatch': 'The model has changed',
  'version-mismatch': 'The parties run different releases',
  version: 'The parties run different releases',
  'too-many-sessions': 'All places are taken at the moment',
  refused: 'All places are taken at the moment',
  restarting: 'A server is being replaced',
  busy: 'The dealer is busy at the moment',
  'rate-limited': 'That was a little fast',
  expired: 'The private session has ended',
  'unknown-link': 'The private session has ended',
  closed: 'The private session has ended',
  lost: 'The connection was lost',
  timeout: 'The other side is taking too long',
  unsupported: 'This way of connecting doesn’t work here',
  oversized: 'The message is too long',
  context: 'The conversation is too long for this model',
  backend: 'This device can’t compute its share that way',
  'crypto-missing': 'This browser lacks the cryptography it needs',
  'webassembly-missing': 'This browser can’t compute its share',
  'page-config': 'This page isn’t set up completely',
  'key-needed': 'This model takes a key',
  'not-attested': 'The server couldn’t prove what it runs',
  'unknown-protection': 'This page doesn’t know how to protect that model',
  protocol: 'The parties disagreed, so the reply was abandoned',
}

export const problem = {
  styles,

  /** @param comfort what holds all the same, in the words of the model's protection */
  render: (
    error: OwnerError,
    retry: () => void,
    comfort?: string,
  ) => html`<section class="problem" role="alert">
    <h2>${headlines[error.code] ?? 'Something went wrong'}</h2>
    <p>${error.message}</p>
    ${error.advice ? html`<p>${error.advice}</p>` : nothing}
    ${error.code === 'key-needed' ? html`<sotto-key-field @opened=${retry}></sotto-key-field>` : nothing}
    <button class="button" @click=${retry}>${icons.again} Try again</button>
    ${comfort ? html`<small>${comfort}</small>` : nothing}
  </section>`,

  /** A question whose answer was stopped or lost, say by a reload. */
  unanswered: (retry: () => void) => html`<section class="unanswered">
    <p>This message has no answer yet.</p>
    <button class="button" @click=${retry}>${icons.again} Answer it</button>
  </section>`,
}
