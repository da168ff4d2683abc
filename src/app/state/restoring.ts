/** Brings back what this browser has kept, and goes along with what other tabs, Back and the lock do to it. */
import { archive, type News } from '../history/archive.ts'
import { type Conversation, isEmpty, mergeConversations, newConversation } from '../history/conversation.ts'
import { type Sealed, vault } from '../history/vault.ts'
import { t } from '../language.ts'
import { chat } from './chat.ts'
import { drafts } from './drafts.ts'
import { library } from './library.ts'
import { onTravel, placeHere } from './place.ts'
import { local } from './storage.ts'

/** The longest that a reply which is being ended puts off the lock. */
const LOCK_MS = 3000

/** The open conversation first, then the others. */
export async function restore(): Promise<void> {
  chat.era = (await archive.era()) ?? chat.era
  const { id, isAsked } = placeHere()
  const conversation = id ? await archive.get(id) : undefined
  const notice = !conversation && isAsked ? t('place.gone') : undefined
  chat.set({ conversation: conversation ?? newConversation(chat.era), notice })
  await library.load()
}

/** As far as that can be without a passphrase, where one protects it. */
export async function begin(): Promise<void> {
  await vault.load()
  if (vault.state.state !== 'locked') await restore()
  watchLock()
}

/** Ends a reply, keeps what there is of it, and forgets the key and everything that was read with it. */
export async function lock(): Promise<void> {
  // Parties that do not answer do not keep the key here.
  await Promise.race([chat.stop(), new Promise((resolve) => setTimeout(resolve, LOCK_MS))])
  await drafts.flush()
  await setAside()
  vault.lock()
}

/** A temporary chat that a lock has closed: it ends with the tab, and not before. In memory, and sealed there. */
let aside: { name: string; sealed: TemporaryChat | Sealed } | undefined

interface TemporaryChat {
  conversation: Conversation
  draft: string
}

async function setAside(): Promise<void> {
  const { conversation } = chat.state
  if (!conversation.temporary || vault.state.state !== 'open') return
  const name = conversation.id
  const draft = await drafts.get(conversation)
  if (draft || !isEmpty(conversation))
    aside = { name, sealed: await vault.seal(name, { conversation, draft }) }
}

async function takeBack(): Promise<void> {
  const back = aside && (await vault.open(aside.name, aside.sealed))
  aside = undefined
  // What everything was erased with is erased.
  if (!back || back.conversation.era !== chat.era) return
  drafts.set(back.conversation, back.draft)
  chat.set({ conversation: back.conversation })
}

/** By the passphrase, or by the passkey. Throws `WrongPassphrase` and `PasskeyRefused`. */
export async function unlock(passphrase?: string): Promise<void> {
  await (passphrase === undefined ? vault.unlockByPasskey() : vault.unlock(passphrase))
  await restore()
  await takeBack()
}

function watchLock(): void {
  let before = vault.state.state
  vault.subscribe(() => {
    const { state } = vault.state
    if (state === 'locked' && before !== 'locked') {
      drafts.forget()
      library.close()
      chat.set({ conversation: newConversation(chat.era), errors: {} })
    }
    // Another tab has taken the passphrase away.
    if (state === 'off' && before === 'locked') void restore()
    before = state
  })
  vault.onLock = lock
  for (const name of ['pointerdown', 'keydown'])
    addEventListener(name, () => vault.touch(), { passive: true })
}

async function hear(news: News): Promise<void> {
  const { conversation } = chat.state
  if (news.kind === 'erased') {
    local.clear()
    await chat.stop()
    await chat.erased()
  } else if (news.kind === 'removed') {
    library.drop(news.id)
    if (news.id === conversation.id) chat.dropped()
  } else if (news.kind === 'kept') {
    const kept = await library.refresh(news.id)
    if (kept && news.id === chat.state.conversation.id)
      chat.change((current) => mergeConversations(current, kept))
  }
}

function nameDocument(): void {
  const { title, temporary } = chat.state.conversation
  // The browser's own history keeps names of pages, readable: none of them tells what is encrypted here.
  const shown = vault.state.state === 'off' ? title.value : ''
  const name = temporary ? t('header.temporary') : shown
  const wanted = name ? `${name} — Sotto` : t('place.private')
  if (document.title !== wanted) document.title = wanted
}

chat.subscribe(nameDocument)
vault.subscribe(nameDocument)
archive.onNews((news) => void hear(news))
onTravel(async (id) => {
  const conversation = id ? (library.find(id) ?? (await archive.get(id))) : undefined
  await chat.open(conversation ?? newConversation(chat.era), true)
})
