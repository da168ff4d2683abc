/**
 * What this browser keeps, encrypted: a random AES-256-GCM key seals each record, and a passphrase wraps that key (PBKDF2
 * with HMAC-SHA-256, as WebCrypto has it, with the rounds that OWASP's password storage cheat sheet asks for); a passkey may
 * wrap it, too. Whoever copies the browser's profile has to guess the passphrase, at 600,000 hashes a guess. Names of records
 * are random and stay readable, and so does how many there are and how long each one is. What was readable before it was
 * sealed may linger on the disk until the browser tidies its database up.
 */
import { t } from '../language.ts'
import { Database, NotRead, openChannel } from '../state/storage.ts'
import { Store } from '../state/store.ts'
import { keyOfPasskey, makePasskey, type Passkey, PasskeyRefused } from './passkey.ts'

/** The wrapped key, as it is stored. */
interface Wrapped {
  iv: Uint8Array<ArrayBuffer>
  key: ArrayBuffer
}

interface ByPassphrase extends Wrapped {
  /** The key's own name, which stays when the passphrase changes. */
  id: string
  salt: Uint8Array<ArrayBuffer>
  rounds: number
}

interface ByPasskey extends Wrapped {
  passkey: Passkey
}

/** A record, as it is stored. */
export interface Sealed {
  iv: Uint8Array<ArrayBuffer>
  sealed: ArrayBuffer
}

const ROUNDS = 600_000
const AES = { name: 'AES-GCM', length: 256 } as const
/** Minutes without a touch in any tab, after which it locks itself. */
const IDLE_MINUTES = 15
/** How often other tabs are told of touches. */
const TOLD_MS = 30_000

const random = (bytes: number): Uint8Array<ArrayBuffer> => crypto.getRandomValues(new Uint8Array(bytes))
const encode = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text)

/** The passphrase is not the right one. */
export class WrongPassphrase extends Error {
  override readonly name = 'WrongPassphrase'
}

/** It takes the passphrase first. */
export class VaultLocked extends Error {
  override readonly name = 'VaultLocked'

  constructor() {
    super(t('lock.first'))
  }
}

/** The browser has not stored what it should have. */
export class NotKept extends Error {
  override readonly name = 'NotKept'
}

async function wrappingKey(passphrase: string, { salt, rounds }: Pick<ByPassphrase, 'salt' | 'rounds'>) {
  // Letters are equal whatever keyboard composed them (NIST SP 800-63B, section 5.1.1.2).
  const letters = encode(passphrase.normalize('NFKC'))
  const material = await crypto.subtle.importKey('raw', letters, 'PBKDF2', false, ['deriveKey'])
  const parameters = { name: 'PBKDF2', hash: 'SHA-256', salt, iterations: rounds }
  return crypto.subtle.deriveKey(parameters, material, AES, false, ['wrapKey', 'unwrapKey'])
}

const unwrap = ({ iv, key }: Wrapped, wrapping: CryptoKey): Promise<CryptoKey> =>
  crypto.subtle.unwrapKey('raw', key, wrapping, { name: 'AES-GCM', iv }, AES, true, ['encrypt', 'decrypt'])

const isSealed = (stored: unknown): stored is Sealed =>
  typeof stored === 'object' && stored !== null && 'sealed' in stored

export interface VaultState {
  /** `off`: what is kept is readable. `unread`: whether it is could not be found out, so nothing is stored. */
  state: 'unread' | 'off' | 'locked' | 'open'
  /** Whether a passkey opens it, too. */
  hasPasskey: boolean
}

/** What a tab tells the others. */
type News = 'touched' | 'locked' | 'off' | { protected: CryptoKey; id: string }

export class Vault extends Store<VaultState> {
  readonly #marks = new Database<ByPassphrase>('vault')
  readonly #passkeys = new Database<ByPasskey>('passkey')
  readonly #channel = openChannel('sotto.vault')
  /** What is done before the key is forgotten, and then that: where nobody has touched the page, or another tab was locked. */
  onLock: () => unknown = () => this.lock()
  #key?: CryptoKey
  /** Name of the key that this tab knows of; empty for none. */
  #id = ''
  #toldAt = Number.NEGATIVE_INFINITY
  #idle?: ReturnType<typeof setTimeout>

  constructor() {
    super({ state: 'unread', hasPasskey: false })
    this.#channel.addEventListener('message', ({ data }: MessageEvent<News>) => void this.#hear(data))
  }

  /** Nothing may be stored now. */
  get isShut(): boolean {
    return this.state.state === 'locked' || this.state.state === 'unread'
  }

  async #hear(news: News): Promise<void> {
    const { state } = this.state
    // It could not be read before: the page stays as it is until it is loaded anew.
    if (state === 'unread') return
    if (news === 'touched') this.#rest()
    else if (news === 'off') await this.load()
    else if (news !== 'locked') await this.#join(news.protected, news.id)
    else if (state === 'open') this.onLock()
  }

  /** Another tab has set a first passphrase: what this one has not stored yet is sealed under the same key. */
  async #join(key: CryptoKey, id: string): Promise<void> {
    const wrapped = await this.#marks.get('key')
    if (wrapped?.id === id && this.state.state === 'off') this.#open(key, wrapped)
  }

  /** Finds out whether there is a passphrase; what this tab had unlocked is locked. */
  async load(): Promise<void> {
    try {
      await this.#shut(await this.#marks.read('key'))
    } catch (error) {
      if (!(error instanceof NotRead)) throw error
      this.#forget()
      // There may be one: a tab that takes it that there is none would store things readable beside what is encrypted.
      if (this.state.state !== 'locked')
        this.set({ state: this.state.state === 'open' ? 'locked' : 'unread' })
    }
  }

  async #shut(wrapped: ByPassphrase | undefined): Promise<void> {
    const passkey = wrapped && (await this.#passkeys.get('key'))
    this.#forget()
    this.#id = wrapped?.id ?? ''
    this.set({ state: wrapped ? 'locked' : 'off', hasPasskey: passkey !== undefined })
  }

  #forget(): void {
    this.#key = undefined
    clearTimeout(this.#idle)
  }

  /** Throws {@link WrongPassphrase} and `NotRead`. */
  async unlock(passphrase: string): Promise<void> {
    const wrapped = await this.#marks.read('key')
    if (!wrapped) return this.#shut(undefined)
    const wrapping = await wrappingKey(passphrase, wrapped)
    const key = await unwrap(wrapped, wrapping).catch(() => {
      throw new WrongPassphrase(t('lock.wrong'))
    })
    this.#open(key, wrapped)
  }

  /** Throws {@link PasskeyRefused} and `NotRead`. */
  async unlockByPasskey(): Promise<void> {
    const before = await this.#passkeys.read('key')
    const wrapping = before && (await keyOfPasskey(before.passkey))
    // Another tab may have changed its mind meanwhile.
    const [stored, wrapped] = [await this.#passkeys.read('key'), await this.#marks.read('key')]
    if (!wrapped) return this.#shut(undefined)
    if (!stored || !wrapping) throw new PasskeyRefused(t('passkey.gone'))
    const key = await unwrap(stored, wrapping).catch(() => {
      throw new PasskeyRefused(t('passkey.other'))
    })
    this.#open(key, wrapped)
  }

  #open(key: CryptoKey, wrapped: ByPassphrase): void {
    this.#key = key
    this.#id = wrapped.id
    this.set({ state: 'open' })
    this.touch()
  }

  /**
   * Lets a passkey of this device open it, beside the passphrase. Throws {@link PasskeyRefused}, {@link VaultLocked} and
   * {@link NotKept}.
   */
  async addPasskey(): Promise<void> {
    const { passkey, key: wrapping } = await makePasskey()
    // The person may have taken their time.
    await this.refresh()
    if (!this.#key) throw new VaultLocked()
    const iv = random(12)
    const key = await crypto.subtle.wrapKey('raw', this.#key, wrapping, { name: 'AES-GCM', iv })
    if (!(await this.#passkeys.set('key', { passkey, iv, key }))) {
      await this.#passkeys.delete('key')
      throw new NotKept(t('kept.noPasskey'))
    }
    this.set({ hasPasskey: true })
  }

  /** The passphrase alone opens it again. */
  async forgetPasskey(): Promise<void> {
    await this.#passkeys.clear()
    this.set({ hasPasskey: false })
  }

  /** Forgets the key; other tabs do, too, once they have stored what they have. */
  lock(): void {
    if (this.state.state !== 'open') return
    this.#forget()
    this.set({ state: 'locked' })
    this.#channel.postMessage('locked')
  }

  /** Somebody is here: other tabs, which nobody touches meanwhile, do not lock this one. */
  touch(): void {
    this.#rest()
    const now = performance.now()
    if (this.state.state !== 'open' || now - this.#toldAt < TOLD_MS) return
    this.#toldAt = now
    this.#channel.postMessage('touched')
  }

  #rest(): void {
    clearTimeout(this.#idle)
    if (this.state.state === 'open') this.#idle = setTimeout(() => this.onLock(), IDLE_MINUTES * 60_000)
  }

  /** Goes along with what another tab has done to the passphrase, whose message may not have come yet. Throws `NotRead`. */
  async refresh(): Promise<void> {
    if (this.state.state === 'unread') throw new NotRead()
    const wrapped = await this.#marks.read('key')
    if ((wrapped?.id ?? '') !== this.#id) await this.#shut(wrapped)
  }

  /**
   * A first passphrase, or another one for the same key: a change that is cut off leaves nothing unreadable. What is kept
   * already is to be sealed by the caller, record by record. Throws {@link VaultLocked}, {@link NotKept} and `NotRead`.
   */
  async protect(passphrase: string): Promise<void> {
    await this.refresh()
    // A key of its own in place of the one that is locked away would leave nothing that could ever be opened again.
    if (this.isShut) throw new VaultLocked()
    const before = await this.#marks.read('key')
    // A passkey of another key would open nothing.
    if (!this.#key) await this.forgetPasskey()
    const key = this.#key ?? (await crypto.subtle.generateKey(AES, true, ['encrypt', 'decrypt']))
    const [salt, iv] = [random(16), random(12)]
    const wrapping = await wrappingKey(passphrase, { salt, rounds: ROUNDS })
    const wrapped = await crypto.subtle.wrapKey('raw', key, wrapping, { name: 'AES-GCM', iv })
    const next = { id: before?.id ?? crypto.randomUUID(), salt, rounds: ROUNDS, iv, key: wrapped }
    const isStored = await this.#marks.set('key', next)
    if (!isStored) {
      await (before ? this.#marks.set('key', before) : this.#marks.delete('key'))
      throw new NotKept(t('kept.noKey'))
    }
    this.#open(key, next)
    this.#channel.postMessage({ protected: key, id: next.id })
  }

  /** Forgets the passphrase. What is kept is opened by the caller before, record by record. */
  async unprotect(): Promise<void> {
    await Promise.all([this.#marks.clear(), this.#passkeys.clear()])
    await this.load()
    this.#channel.postMessage('off')
  }

  /**
   * As it is to be stored. Throws {@link VaultLocked} and `NotRead`: nothing is stored readable then, or under a key that
   * another tab has replaced.
   */
  async seal<T>(name: string, value: T): Promise<T | Sealed> {
    await this.refresh()
    if (this.state.state === 'off') return value
    if (!this.#key) throw new VaultLocked()
    const iv = random(12)
    const by = { name: 'AES-GCM', iv, additionalData: encode(name) }
    return { iv, sealed: await crypto.subtle.encrypt(by, this.#key, encode(JSON.stringify(value))) }
  }

  /** As it was before it was sealed; nothing where it cannot be opened. */
  async open<T>(name: string, stored: T | Sealed | undefined): Promise<T | undefined> {
    if (!isSealed(stored)) return stored
    if (!this.#key) return undefined
    const by = { name: 'AES-GCM', iv: stored.iv, additionalData: encode(name) }
    try {
      const opened = await crypto.subtle.decrypt(by, this.#key, stored.sealed)
      return JSON.parse(new TextDecoder().decode(opened)) as T
    } catch {
      return undefined
    }
  }
}

export const vault = new Vault()
