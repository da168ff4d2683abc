/** How one turn of a conversation looks. */
import { css } from 'lit'

export const turn = css`
  .who {
    color: var(--soft);
    font: italic 1rem/1.6 var(--serif);
  }
  .you .who {
    color: var(--you);
  }
  .head {
    display: flex;
    align-items: center;
    justify-content: space-between;
    min-height: 34px;
  }
  .tools {
    display: flex;
  }
  .branches {
    display: flex;
    align-items: center;
    margin-inline-start: auto;
    color: var(--soft);
    font-size: 0.8125rem;
    font-variant-numeric: tabular-nums;
  }
  .foot .branches {
    margin-inline-start: 0;
  }
  .foot .branches span {
    padding: 0;
  }
  .branches .icon:disabled {
    opacity: 0.35;
  }
  .button.on {
    min-height: 28px;
    margin-inline-start: 4px;
    padding: 0 12px;
    font-size: 0.8125rem;
  }
  .said {
    overflow-wrap: anywhere;
  }
  .you .said {
    font-size: 1.0625rem;
    line-height: 1.55;
    white-space: pre-wrap;
  }
  .wire {
    display: block;
    width: 100%;
    margin-top: 6px;
    overflow: hidden;
    color: var(--soft);
    font: 0.8125rem/1.6 var(--mono);
    white-space: nowrap;
    mask-image: linear-gradient(to right, #000 70%, transparent);
  }
  .wire:dir(rtl) {
    mask-image: linear-gradient(to left, #000 70%, transparent);
  }
  .wire em {
    color: var(--server);
    font: italic 0.9375rem/1.6 var(--serif);
  }
  .wire:hover {
    color: var(--ink);
  }
  .caution {
    margin-top: 6px;
    color: var(--soft);
    font-size: 0.8125rem;
  }
  .exposed {
    margin-top: 6px;
    color: var(--soft);
    font-size: 0.8125rem;
  }
  .exposed p {
    overflow-wrap: anywhere;
    white-space: pre-wrap;
  }
  .foot {
    display: flex;
    align-items: center;
    min-height: 34px;
    margin: 2px 0 0 -9px;
    color: var(--soft);
    font-size: 0.8125rem;
  }
  .icon {
    width: 34px;
    height: 34px;
  }
  .foot span {
    padding-inline-start: 6px;
  }
  @media (hover: hover) {
    .you .tools .icon {
      opacity: 0;
    }
    .you:hover .tools .icon,
    .you:focus-within .tools .icon {
      opacity: 1;
    }
  }
  @media print {
    .tools,
    .foot .icon,
    .branches .icon,
    .button.on {
      display: none;
    }
  }
  textarea {
    width: 100%;
    padding: 10px 12px;
    border: 1px solid var(--edge);
    border-radius: 10px;
    background: var(--paper);
    font-size: 1.0625rem;
    line-height: 1.5;
    resize: vertical;
    field-sizing: content;
  }
  form div {
    display: flex;
    gap: 8px;
    margin-top: 8px;
  }
`
