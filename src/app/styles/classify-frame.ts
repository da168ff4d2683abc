/** The classify view's frame: introduction, tabs, and the line of state at its foot. */
import { css } from 'lit'

export const classifyFrame = css`
  :host {
    display: grid;
    grid-template-rows: minmax(0, 1fr) auto;
    min-height: 0;
    grid-row: 2 / -1;
  }
  .scroll {
    overflow-y: auto;
    scrollbar-gutter: stable both-edges;
    scrollbar-width: thin;
  }
  .column {
    max-width: 45rem;
    margin: 0 auto;
    padding: clamp(18px, 4vh, 48px) 24px 32px;
  }
  h2 {
    font: 400 italic clamp(1.75rem, 1.3rem + 2vw, 2.5rem) / 1.12 var(--serif);
    letter-spacing: -0.015em;
    text-wrap: balance;
  }
  .lead {
    max-width: 36em;
    min-height: 7.75em;
    margin-top: 12px;
    color: var(--soft);
    font: 1.0625rem/1.55 var(--serif);
    text-wrap: pretty;
  }
  .lead button {
    color: var(--you);
    font: inherit;
    text-decoration: underline;
    text-underline-offset: 2px;
  }
  .model {
    min-height: 4.7em;
    margin-top: 14px;
    color: var(--soft);
    font-size: 0.875rem;
    line-height: 1.55;
  }
  .model b {
    color: var(--ink);
    font-weight: 600;
  }
  .main {
    margin-top: 14px;
  }
  .tabs {
    display: flex;
    gap: 4px;
    margin: 12px 0 16px;
    border-bottom: 1px solid var(--line);
  }
  [role='tab'] {
    min-height: 44px;
    margin-bottom: -1px;
    padding: 0 14px;
    border-bottom: 2px solid transparent;
    color: var(--soft);
  }
  [role='tab']:hover {
    color: var(--ink);
  }
  [role='tab'][aria-selected='true'] {
    border-color: var(--you);
    color: var(--ink);
  }
  .notice {
    margin-top: 14px;
    padding-inline-start: 14px;
    border-inline-start: 2px solid var(--server);
    color: var(--soft);
    font-size: 0.9375rem;
  }
  footer {
    padding: 0 24px max(6px, env(safe-area-inset-bottom));
    border-top: 1px solid var(--line);
  }
  .state {
    display: flex;
    align-items: center;
    justify-content: space-between;
    gap: 12px;
    max-width: calc(45rem - 48px);
    height: 36px;
    margin: 0 auto;
    color: var(--soft);
    font-size: 0.8125rem;
    white-space: nowrap;
  }
  .state > * {
    overflow: hidden;
    padding: 4px 0;
    text-overflow: ellipsis;
  }
  .state button:hover {
    color: var(--ink);
  }
  @media (max-width: 560px) {
    .column {
      padding-inline: 18px;
    }
    footer {
      padding-inline: 18px;
    }
  }
`
