/** On what the promise rests, at first sight: who must not work together, and why somebody is protected here, or nobody. */
import { css, html, nothing } from 'lit'
import type { ModelListing } from '../../owner/api.ts'
import { sentence, t } from '../language.ts'
import { operatorOf, parties, whyUnprotected } from '../state/parties.ts'

const styles = css`
  .unprotected {
    margin-top: 16px;
    padding: 12px 16px;
    border-radius: var(--radius);
    background: var(--danger-sheet);
    font-size: 0.9375rem;
  }
  .unprotected b {
    color: var(--danger);
  }
`

/** The two who must not work together, by name. */
function condition(model: ModelListing | undefined): string {
  const text = sentence(model?.protection.notice.apart ?? '')
  const { server, dealer } = parties.state
  const who = (role: string, name: string | undefined) =>
    name ? t('honesty.named', { name, role }) : t('honesty.role', { role })
  return text
    .replace('{server}', who(t('role.server'), operatorOf(server)))
    .replace('{dealer}', who(t('role.dealer'), operatorOf(dealer)))
}

export const honesty = {
  styles,
  condition,
  /** A warning where one is due. */
  warning: () => {
    const why = whyUnprotected(parties.state)
    if (!why) return nothing
    const [first, ...rest] = why.split(/(?<=\.) /)
    return html`<p class="unprotected" role="note"><b>${first}</b> ${rest.join(' ')}</p>`
  },
}
