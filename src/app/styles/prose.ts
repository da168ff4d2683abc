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
    padding-left: 1.4em;
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
  .prose blockquote {
    margin: 0;
    padding-left: 1em;
    border-left: 2px solid var(--line);
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
    text-align: left;
  }

  .caret {
    display: inline-block;
    width: 0.5em;
    height: 0.5em;
    margin-left: 0.25em;
    border-radius: 50%;
    background: var(--you);
    animation: breathe 1.6s ease-in-out infinite;
  }
  @keyframes breathe {
    50% {
      opacity: 0.25;
      scale: 0.7;
    }
  }
`
