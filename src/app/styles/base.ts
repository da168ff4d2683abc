/** Styles that every component shares: a constructable sheet, so a strict content security policy allows it. */
import { css } from 'lit'

export const base = css`
  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }
  :host {
    display: block;
  }
  :host([hidden]),
  [hidden] {
    display: none !important;
  }
  h1, h2, h3, p, ul, ol, dl, dd, figure {
    margin: 0;
    padding: 0;
  }
  ul, ol {
    list-style: none;
  }
  button, input, textarea, select {
    font: inherit;
    color: inherit;
  }
  button {
    cursor: pointer;
    border: 0;
    background: none;
    padding: 0;
    text-align: inherit;
    touch-action: manipulation;
    -webkit-tap-highlight-color: transparent;
  }
  button:disabled {
    cursor: default;
  }
  :focus-visible {
    outline: 2px solid var(--you);
    outline-offset: 2px;
    border-radius: 6px;
  }
  svg {
    display: block;
  }
  .along:dir(rtl) {
    scale: -1 1;
  }
  .icon {
    display: inline-grid;
    place-items: center;
    flex: none;
    width: 40px;
    height: 40px;
    border-radius: 10px;
    color: var(--soft);
    transition: background 0.15s, color 0.15s;
  }
  .icon:hover {
    background: var(--sunk);
    color: var(--ink);
  }
  .icon[aria-pressed='true'],
  .icon[aria-expanded='true'] {
    color: var(--you);
  }
  .button {
    display: inline-flex;
    align-items: center;
    justify-content: center;
    gap: 8px;
    min-height: 40px;
    padding: 0 16px;
    border: 1px solid var(--edge);
    border-radius: 999px;
    background: var(--sheet);
    font-size: 0.9375rem;
    transition: border-color 0.15s, background 0.15s;
  }
  .button:hover {
    border-color: var(--ink);
  }
  .button.main {
    border-color: var(--you);
    background: var(--you);
    color: var(--on-you);
  }
  .button.main:hover {
    border-color: var(--ink);
  }
  .button.danger {
    border-color: var(--danger);
    color: var(--danger);
  }
  .hidden {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  @media (prefers-reduced-motion: reduce) {
    *,
    *::before,
    *::after {
      animation: none !important;
      transition: none !important;
      scroll-behavior: auto !important;
    }
  }
`
