/** The option that says how often an owner audits its dealer. */
import { MOST_AUDITED } from '../protections/shared/session/toss.ts'
import { real } from './values.ts'

/** Says what `--audit` is. */
export const auditHelp =
  'how probable it is that a pass which reads a text or a message is rehearsed and the dealer audited, four times less for each word of a reply; 0: never'

/** At most what a server puts up with. */
export const probability = real(0, MOST_AUDITED)
