/** How a dialog with settings looks. */
import { css } from 'lit'

export const form = css`
  dialog {
    width: min(34rem, 100vw);
    max-height: min(46rem, 100dvh);
    padding: 0;
    border: 1px solid var(--line);
    border-radius: 18px;
    background: var(--sheet);
    color: var(--ink);
    overflow-y: auto;
  }
  dialog::backdrop {
    background: rgb(8 14 12 / 0.45);
  }
  form {
    padding: 8px 24px 24px;
  }
  header {
    position: sticky;
    z-index: 1;
    top: 0;
    display: flex;
    align-items: center;
    justify-content: space-between;
    height: 56px;
    margin-inline-end: -12px;
    background: var(--sheet);
  }
  h2 {
    font: italic 1.375rem/1 var(--serif);
  }
  fieldset {
    min-width: 0;
    margin: 0;
    padding: 14px 0 18px;
    border: 0;
    border-top: 1px solid var(--line);
  }
  legend {
    float: left;
    width: 100%;
    padding: 0 0 6px;
    font: italic 1.0625rem/1.4 var(--serif);
  }
  legend + * {
    clear: both;
  }
  fieldset p {
    color: var(--soft);
    font-size: 0.9375rem;
  }
  .keys p {
    line-height: 2;
  }
  .slider {
    display: block;
    margin-top: 8px;
  }
  .slider span {
    display: flex;
    justify-content: space-between;
  }
  .slider output {
    color: var(--you);
    font-variant-numeric: tabular-nums;
  }
  .slider small {
    color: var(--soft);
    font-size: 0.8125rem;
  }
  input {
    accent-color: var(--you);
  }
  input[type='range'] {
    display: block;
    width: 100%;
    height: 32px;
    margin: 0;
  }
  input[type='radio'] {
    flex: none;
    width: 18px;
    height: 18px;
    margin: 3px 0 0;
  }
  .choices {
    display: flex;
    flex-wrap: wrap;
    gap: 4px 20px;
  }
  .choice {
    display: flex;
    align-items: center;
    gap: 8px;
    min-height: 40px;
  }
  .choice input {
    margin: 0;
  }
  .row {
    display: flex;
    flex-wrap: wrap;
    gap: 8px;
    margin-top: 12px;
  }
  kbd {
    padding: 2px 6px;
    border: 1px solid var(--line);
    border-radius: 5px;
    background: var(--paper);
    color: var(--ink);
    font: 0.8125rem/1.2 var(--sans);
  }
`
