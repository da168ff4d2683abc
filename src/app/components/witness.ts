/** What each party received so far, and a little of it as it looked to them. */
import { css, html, nothing, type TemplateResult } from 'lit'
import { bytes, word } from '../format.ts'
import type { PartiesTraffic } from '../history/traffic.ts'
import { sentence, t, theirs } from '../language.ts'
import type { EngineState } from '../state/engine-state.ts'
import { operatorsNow } from '../state/parties.ts'

const styles = css`
  .party {
    padding: 14px 0 16px;
    border-top: 1px solid var(--line);
  }
  .party h3 {
    display: flex;
    align-items: baseline;
    gap: 9px;
    font: italic 1.1875rem/1.3 var(--serif);
  }
  .party h3::before {
    content: '';
    flex: none;
    width: 9px;
    height: 9px;
    border-radius: 50%;
    background: var(--party);
  }
  .party p {
    margin-top: 5px;
    color: var(--soft);
    font-size: 0.9375rem;
  }
  .party .got {
    color: var(--ink);
    font-variant-numeric: tabular-nums;
  }
  .sample {
    margin-top: 10px;
    padding: 10px 12px;
    border-radius: 10px;
    background: var(--sunk);
  }
  .sample figcaption {
    color: var(--soft);
    font-size: 0.8125rem;
  }
  .sample code {
    display: block;
    min-height: 3.1em;
    margin-top: 4px;
    color: var(--party);
    font: 0.8125rem/1.55 var(--mono);
    overflow-wrap: anywhere;
  }
  .browser {
    --party: var(--you);
  }
  .server {
    --party: var(--server);
  }
  .dealer {
    --party: var(--dealer);
  }
  @media (forced-colors: active) {
    .party h3::before {
      forced-color-adjust: none;
    }
  }
`

const sample = (caption: string, words: number[] | undefined, limit: number) => html`<figure class="sample">
  <figcaption>${caption}</figcaption>
  <code dir="ltr">${words?.length ? words.slice(0, limit).map(word).join(' ') : t('witness.nothing')}</code>
</figure>`

const party = (kind: string, name: string, content: TemplateResult) =>
  html`<section class="party ${kind}">
    <h3>${name}</h3>
    ${content}
  </section>`

/** What the server has received. */
function received({ ownerUp, dealerToServer, serverMessages, hops }: PartiesTraffic, dealt?: string): string {
  const values = { amount: bytes(ownerUp), dealt: bytes(dealerToServer), what: sentence(dealt ?? '') }
  const what = t(
    ownerUp > 0
      ? dealt
        ? 'witness.fromBoth'
        : 'witness.fromYou'
      : dealt
        ? 'witness.fromDealer'
        : 'witness.fromNobody',
    values,
  )
  if (ownerUp === 0 || hops === 0) return what
  const messages = t('messages', { n: serverMessages || hops })
  return `${what} ${t('witness.crossed', { messages, hops: t('hops', { n: hops }) })}`
}

const titled = (role: string, operator: string | undefined) =>
  operator ? t('witness.named', { role, name: operator }) : role

/** Host of an address, for people. */
const hostOf = (url: string | undefined) => (url ? html` · ${new URL(url, location.href).host}` : nothing)

/** Every party of the chosen model's protection, in its words. */
export const witness = {
  styles,
  render: (traffic: PartiesTraffic, { stats, session, model }: EngineState) => {
    if (!model) return nothing
    const { parties, dealt } = model.protection.notice
    const operators = operatorsNow()
    return html`
      ${party(
        'browser',
        t('witness.you'),
        html`<p class="got">${t('witness.got', { amount: bytes(traffic.ownerDown + traffic.dealerDown) })}</p>
          <p>${theirs(parties.owner)}</p>`,
      )}
      ${
        parties.server &&
        party(
          'server',
          titled(t('witness.server'), operators.server),
          html`<p class="got">${received(traffic, dealt)}</p>
            <p>${theirs(parties.server)}${hostOf(session?.server)}</p>
            ${sample(t('witness.serverSample'), stats?.serverSample, 12)}`,
        )
      }
      ${
        parties.dealer &&
        party(
          'dealer',
          titled(t('witness.dealer'), operators.dealer),
          html`<p class="got">${t('witness.requests', { amount: bytes(traffic.dealerUp) })}</p>
            <p>${theirs(parties.dealer)}${hostOf(session?.dealer)}</p>
            ${stats?.dealerSample.length ? sample(t('witness.dealerSample'), stats.dealerSample, 8) : nothing}`,
        )
      }
    `
  },
}
