/** The three parties and what flows between them, drawn live. */
import { css, html, LitElement, svg } from 'lit'
import { bytes, title } from '../format.ts'
import { t } from '../language.ts'
import { isComputing, sources, traffic as trafficSoFar } from '../state/activity.ts'
import { operatorsNow, parties } from '../state/parties.ts'
import { Watch } from '../state/store.ts'
import { base } from '../styles/base.ts'

export class Triangle extends LitElement {
  static override styles = [
    base,
    css`
      svg {
        width: 100%;
        height: auto;
        overflow: visible;
        /* A drawing has no reading order: where its texts begin is drawn, too. */
        direction: ltr;
      }
      text {
        fill: var(--soft);
        font: 12px var(--sans);
        font-variant-numeric: tabular-nums;
      }
      .name {
        fill: var(--ink);
        font: italic 16px var(--serif);
      }
      .node {
        fill: var(--paper);
        stroke-width: 1.5;
      }
      .glyph {
        fill: none;
        stroke-width: 1.5;
        stroke-linecap: round;
        stroke-linejoin: round;
      }
      .you {
        stroke: var(--you);
      }
      .server {
        stroke: var(--server);
      }
      .dealer {
        stroke: var(--dealer);
      }
      .wire {
        fill: none;
        stroke: var(--edge);
        stroke-width: 1.2;
      }
      .flow {
        fill: none;
        stroke-width: 2.6;
        stroke-linecap: round;
        stroke-dasharray: 0.1 11;
        opacity: 0;
        transition: opacity 0.4s;
      }
      .live .flow {
        opacity: 1;
        animation: flow 0.7s linear infinite;
      }
      .live .flow.slow {
        animation-duration: 1.6s;
      }
      @keyframes flow {
        to {
          stroke-dashoffset: -11.1;
        }
      }
      .border {
        stroke: var(--you);
        stroke-width: 1;
        stroke-dasharray: 2 4;
      }
      .promise {
        fill: var(--you);
        font: italic 13.5px var(--serif);
      }
      .head {
        fill: none;
        stroke: var(--edge);
        stroke-width: 1.2;
        stroke-linecap: round;
        stroke-linejoin: round;
      }
      .on {
        paint-order: stroke;
        stroke: var(--paper);
        stroke-width: 5;
        stroke-linejoin: round;
      }
    `,
  ]

  constructor() {
    super()
    new Watch(this, ...sources, parties)
  }

  protected override render() {
    const traffic = trafficSoFar()
    const live = isComputing()
    const summary = t('triangle.summary', {
      up: bytes(traffic.ownerUp),
      down: bytes(traffic.ownerDown),
      n: traffic.hops,
      requests: bytes(traffic.dealerUp),
      dealt: bytes(traffic.dealerToServer),
    })
    return html`<svg class=${live ? 'live' : ''} viewBox="0 0 344 304" role="img" aria-label=${summary}>
      ${border()} ${wires} ${others(operatorsNow())}
      <g aria-hidden="true">
        <text class="on" x="96" y="136" text-anchor="end">${bytes(traffic.ownerUp)} ↓</text>
        <text class="on" x="150" y="152">↑ ${bytes(traffic.ownerDown)}</text>
        <text class="on" x="252" y="136">↓ ${bytes(traffic.dealerUp)}</text>
        <text class="on" x="172" y="222" text-anchor="middle">← ${bytes(traffic.dealerToServer)}</text>
      </g>
      ${nodes()}
    </svg>`
  }
}

/** The line that no readable word crosses. */
const border = () => svg`<g aria-hidden="true">
  <path class="border" d="M0 100H344"/>
  <text class="promise on" x="0" y="93">${t('triangle.border')}</text>
</g>`

/** The connections, with dots that travel along them while a reply is being computed. */
const wires = svg`<g aria-hidden="true">
  <path class="wire" d="M148 62 72 198"/><path class="wire" d="M160 66 84 202"/>
  <path class="wire" d="M194 64 266 196"/>
  <path class="wire" d="M250 228H94"/>
  <path class="head" d="m73.5 190-1.5 8 6.800-4.400M155 74.5l5-8.5.2 9.600M259.5 191l6.5 5-.9-8.200M101 224l-7 4 7 4"/>
  <path class="flow you" d="M148 62 72 198"/><path class="flow server" d="M84 202 160 66"/>
  <path class="flow slow you" d="M194 64 266 196"/>
  <path class="flow dealer" d="M250 228H94"/>
</g>`

const nodes = () => svg`<g aria-hidden="true">
  <circle class="node you" cx="172" cy="36" r="33"/>
  <g class="glyph you"><rect x="154" y="23" width="36" height="26" rx="4"/><path d="M154 31h36M161 39h14M161 43.5h9"/></g>
  <text class="name" x="216" y="32">${t('triangle.you')}</text><text x="216" y="49">${t('triangle.words')}</text>
  <circle class="node server" cx="58" cy="226" r="33"/>
  <g class="glyph server"><rect x="42" y="211" width="32" height="13" rx="3"/><rect x="42" y="228" width="32" height="13" rx="3"/><path d="M48 217.5h1M48 234.5h1M56 217.5h12M56 234.5h12"/></g>
  <circle class="node dealer" cx="286" cy="226" r="33"/>
  <g class="glyph dealer"><rect x="272" y="213" width="19" height="26" rx="3"/><path d="m285 211 11.5 3a3 3 0 0 1 2.200 3.700l-4.700 18"/><path d="M281.5 222.5l3 3.5-3 3.5-3-3.5Z"/></g>
</g>
`

/** Both of the others, and who runs them. */
const others = ({
  server,
  dealer,
}: ReturnType<typeof operatorsNow>) => svg`<g aria-hidden="true" text-anchor="middle">
  <text class="name" x="58" y="281">${t('role.server')}</text><text x="58" y="298">${title(server ?? '', 20)}</text>
  <text class="name" x="286" y="281">${t('role.dealer')}</text><text x="286" y="298">${title(dealer ?? '', 20)}</text>
</g>`

customElements.define('sotto-triangle', Triangle)
