/** How the list of conversations looks. */
import { css } from 'lit'

export const listLook = css`
  :host {
    display: flex;
    flex-direction: column;
    height: 100%;
    border-inline-end: 1px solid var(--line);
    background: var(--paper);
  }
  .top {
    display: flex;
    align-items: center;
    gap: 8px;
    height: 60px;
    padding: 0 10px 0 14px;
    border-bottom: 1px solid var(--line);
  }
  .new {
    flex: 1;
    min-height: 38px;
    justify-content: flex-start;
    padding: 0 14px 0 10px;
  }
  nav {
    flex: 1;
    overflow-y: auto;
    scrollbar-width: thin;
    padding: 10px 8px;
  }
  li {
    position: relative;
    display: flex;
    height: 3.625rem;
    border-radius: 10px;
  }
  li:hover,
  li:focus-within {
    background: var(--sunk);
  }
  li.open {
    background: var(--you-sheet);
  }
  .pick,
  .rename {
    flex: 1;
    min-width: 0;
    padding: 9px 2px 9px 12px;
    font-size: 0.9375rem;
    line-height: 1.35;
  }
  .pick b {
    display: block;
    overflow: hidden;
    font-weight: 400;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .pick small {
    color: var(--soft);
    font-size: 0.8125rem;
  }
  li .icon {
    align-self: center;
    opacity: 0;
  }
  li:hover .icon,
  li:focus-within .icon {
    opacity: 1;
  }
  @media (hover: none) {
    li .icon {
      opacity: 1;
    }
  }
  .undo {
    min-height: 24px;
    padding: 0 4px;
    color: var(--you);
    text-decoration: underline;
    text-underline-offset: 2px;
  }
  .note {
    padding: 12px 16px 16px;
    color: var(--soft);
    font-size: 0.8125rem;
  }
  .find {
    margin: 10px 8px 0;
  }
  .find input,
  .rename input {
    width: 100%;
    height: 36px;
    padding: 0 12px;
    border: 1px solid var(--edge);
    border-radius: 10px;
    background: var(--sheet);
    font-size: 0.9375rem;
  }
  li svg.pinned {
    display: inline;
    width: 13px;
    height: 13px;
    margin-inline-end: 3px;
    vertical-align: -1px;
    color: var(--you);
  }
  li .icon {
    width: 32px;
  }
  [popover] {
    inset: auto;
    margin: 0;
    padding: 6px;
    border: 1px solid var(--line);
    border-radius: 12px;
    background: var(--sheet);
    color: var(--ink);
    box-shadow: 0 6px 24px rgb(8 14 12 / 0.16);
  }
  [popover] button {
    display: block;
    width: 100%;
    min-height: 40px;
    padding: 0 14px;
    border-radius: 8px;
    font-size: 0.9375rem;
  }
  [popover] button:hover {
    background: var(--sunk);
  }
  @media (forced-colors: active) {
    li.open {
      outline: 2px solid Highlight;
      outline-offset: -2px;
    }
    li.open b {
      text-decoration: underline;
    }
  }
`
