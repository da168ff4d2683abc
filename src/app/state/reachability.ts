/** Who is away, where nothing comes: this browser's network, the model server, or the dealer. */
import { OwnerError } from '../../owner/api.ts'
import { t } from '../language.ts'
import { parties } from './parties.ts'

export interface Away {
  who: 'you' | 'server' | 'dealer'
  text: string
  advice: string
}

/** Whoever doesn't answer in this time counts as away. */
const PATIENCE_MS = 2000

/** What may be over a little later, or with a new session. */
const passing = new Set([
  ...['closed', 'lost', 'timeout', 'unknown-link', 'expired', 'refused', 'restarting', 'busy', 'crashed'],
  ...['server-unreachable', 'server-absent', 'dealer-unreachable', 'dealer-lost', 'unknown-model'],
  ...['page-config', 'offline', 'server-away', 'dealer-away'],
])
export const isPassing = (error: unknown): boolean => error instanceof OwnerError && passing.has(error.code)

/** The session is gone, and nobody has to be waited for: another one can be had at once. */
const forgotten = new Set(['expired', 'crashed', 'closed', 'unknown-link'])
export const isForgotten = (error: unknown): boolean =>
  error instanceof OwnerError && forgotten.has(error.code)

/** Errors of what was asked: the session that said so goes on. A new one would tell both parties of it. */
const ofTheRequest = new Set(['context', 'busy', 'empty', 'wrong-task', 'out-of-range'])
export const isOfTheRequest = ({ code }: OwnerError): boolean => ofTheRequest.has(code)

/** Whether anything at all answers there; what, another page may not read. */
async function answers(url: string): Promise<boolean> {
  try {
    const address = new URL(url, location.href)
    await fetch(address, { mode: 'no-cors', cache: 'no-store', signal: AbortSignal.timeout(PATIENCE_MS) })
    return true
  } catch {
    return false
  }
}

const offline = (): Away => ({ who: 'you', text: t('away.you'), advice: t('away.youAdvice') })

function away(who: 'server' | 'dealer', name: string | undefined): Away {
  const text = name ? t(`away.${who}Named`, { name }) : t(`away.${who}`)
  return { who, text, advice: t(`away.${who}Advice`) }
}

/** Resolves within two seconds; with nothing where everybody is there. */
export async function whoIsAway(): Promise<Away | undefined> {
  if (!navigator.onLine) return offline()
  const { server, dealer } = parties.state
  const ask = (party: { url: string } | undefined) => (party ? answers(`${party.url}/livez`) : true)
  // All at once: a person waits for the slowest of them, and not for one after another.
  const asked = [ask(server), ask(dealer), answers('healthz')]
  const [isServer, isDealer, isPage] = await Promise.all(asked)
  if (isServer && isDealer) return undefined
  if (!isServer && !isDealer && !isPage) return offline()
  return isServer ? away('dealer', dealer?.operator) : away('server', server?.operator)
}

const codes: Record<Away['who'], string> = { you: 'offline', server: 'server-away', dealer: 'dealer-away' }

/** An error in terms of who is away, where that is what is behind it. */
export async function describeTrouble(error: OwnerError): Promise<OwnerError> {
  const away = isPassing(error) ? await whoIsAway() : undefined
  return away ? new OwnerError(codes[away.who], away.text, away.advice, { cause: error }) : error
}
