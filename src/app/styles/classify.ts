/** What the components of the classify view share: fields, notes, and quiet buttons. */
import { css } from 'lit'

export const classifyLook = css`
  label.name,
  .names {
    display: block;
    margin-bottom: 6px;
    color: var(--soft);
    font: italic 1rem/1.5 var(--serif);
  }
  textarea,
  select {
    border: 1px solid var(--edge);
    background: var(--sheet);
  }
  textarea {
    display: block;
    width: 100%;
    min-height: 5.2em;
    max-height: 46dvh;
    padding: 12px 16px;
    border-radius: var(--radius);
    font-size: 1.0625rem;
    line-height: 1.5;
    resize: vertical;
  }
  textarea + label.name {
    margin-top: 14px;
  }
  textarea::placeholder {
    color: var(--soft);
    opacity: 1;
  }
  textarea:focus-visible {
    outline: 0;
    border-color: var(--you);
    box-shadow: 0 0 0 1px var(--you);
    border-radius: var(--radius);
  }
  select {
    min-height: 40px;
    max-width: 100%;
    padding: 0 10px;
    border-radius: 10px;
    font-size: 0.9375rem;
  }
  input[type='checkbox'] {
    width: 18px;
    height: 18px;
    margin: 0;
    accent-color: var(--you);
  }
  .actions {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 8px 12px;
    min-height: 40px;
    margin-top: 12px;
  }
  .actions small,
  .note {
    color: var(--soft);
    font-size: 0.875rem;
    line-height: 1.5;
  }
  .note {
    margin-top: 14px;
    padding-inline-start: 14px;
    border-inline-start: 2px solid var(--server);
  }
  .button:disabled {
    border-color: var(--line);
    background: var(--sunk);
    color: var(--soft);
  }
  .quiet {
    color: var(--you);
    text-decoration: underline;
    text-underline-offset: 2px;
  }
  .quiet:hover {
    color: var(--ink);
  }
  @media (max-width: 560px) {
    .actions .button {
      flex: auto;
    }
  }
`
