/** How a model's formatted reply is set, with a caret while it is being written. */
import { css } from 'lit'

export const prose = css`
  .prose {
    font: 1.125rem/1.6 var(--serif);
  }
  .prose > * + * {
    margin-top: 0.7em;
  }
  .prose .plain {
    white-space: pre-wrap;
  }
  .prose .silent {
    color: var(--soft);
    font-style: italic;
  }
  .prose h1, .prose h2, .prose h3, .prose h4, .prose h5, .prose h6 {
    font: 600 1.0625rem/1.4 var(--sans);
  }
  .prose ul, .prose ol {
    padding-inline-start: 1.4em;
  }
  .prose ul {
    list-style: disc;
  }
  .prose ol {
    list-style: decimal;
  }
  .prose a {
    color: var(--you);
    text-underline-offset: 2px;
  }
  .prose code {
    padding: 0.1em 0.3em;
    border-radius: 4px;
    background: var(--sunk);
    font: 0.85em/1.5 var(--mono);
  }
  .prose pre {
    overflow-x: auto;
    padding: 12px 14px;
    border-radius: 10px;
    background: var(--sunk);
  }
  .prose pre code {
    padding: 0;
    background: none;
  }
  .prose .block {
    position: relative;
  }
  .prose .copy {
    position: absolute;
    inset-block-start: 6px;
    inset-inline-end: 6px;
    min-height: 28px;
    padding: 0 10px;
    border: 1px solid var(--line);
    border-radius: 8px;
    background: var(--sheet);
    color: var(--soft);
    font: 0.8125rem/1 var(--sans);
  }
  .prose .copy:hover {
    color: var(--ink);
  }
  /* Four colours are enough to see how code hangs together. */
  .hljs-comment, .hljs-quote, .hljs-meta {
    color: var(--soft);
    font-style: italic;
  }
  .hljs-keyword, .hljs-selector-tag, .hljs-literal, .hljs-section, .hljs-name {
    color: var(--server);
  }
  .hljs-string, .hljs-regexp, .hljs-addition, .hljs-symbol, .hljs-bullet {
    color: var(--you);
  }
  .hljs-number, .hljs-title, .hljs-attr, .hljs-built_in, .hljs-type, .hljs-variable {
    color: var(--dealer);
  }
  .hljs-deletion {
    color: var(--danger);
  }
  .hljs-emphasis {
    font-style: italic;
  }
  .hljs-strong {
    font-weight: 600;
  }
  .prose math[display='block'] {
    overflow-x: auto;
    padding-block: 4px;
  }
  .prose blockquote {
    margin: 0;
    padding-inline-start: 1em;
    border-inline-start: 2px solid var(--line);
    color: var(--soft);
  }
  .prose hr {
    border: 0;
    border-top: 1px solid var(--line);
  }
  .prose table {
    display: block;
    overflow-x: auto;
    border-collapse: collapse;
    font: 0.9375rem/1.5 var(--sans);
  }
  .prose th, .prose td {
    padding: 4px 12px 4px 0;
    border-bottom: 1px solid var(--line);
    text-align: start;
  }

  .caret {
    display: inline-block;
    width: 0.5em;
    height: 0.5em;
    margin-inline-start: 0.25em;
    border-radius: 50%;
    background: var(--you);
    animation: breathe 1.6s ease-in-out infinite;
  }
  @media print {
    .prose .copy {
      display: none;
    }
  }
  @keyframes breathe {
    50% {
      opacity: 0.25;
      scale: 0.7;
    }
  }
`
