/**
 * What this browser keeps, encrypted: a random AES-256-GCM key seals each record, and a passphrase wraps that key (PBKDF2
 * with HMAC-SHA-256, as WebCrypto has it, with the rounds that OWASP's password storage cheat sheet asks for). Whoever
 * copies the browser's profile has to guess the passphrase, at 600,000 hashes a guess. Names of records are random and
 * stay readable, and so does how many there are and how long each one is.
 */
import { Database, openChannel } from '../state/storage.ts'
import { Store } from '../state/store.ts'

/** The wrapped key, as it is stored. */
interface Wrapped {
  salt: Uint8Array<ArrayBuffer>
  rounds: number
  iv: Uint8Array<ArrayBuffer>
  key: ArrayBuffer
}

/** A record, as it is stored. */
export interface Sealed {
  iv: Uint8Array<ArrayBuffer>
  sealed: ArrayBuffer
}

const ROUNDS = 600_000
const AES = { name: 'AES-GCM', length: 256 } as const
/** Minutes without a touch, after which it locks itself. */
const IDLE_MINUTES = 15

const random = (bytes: number): Uint8Array<ArrayBuffer> => crypto.getRandomValues(new Uint8Array(bytes))
const encode = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text)

/** The passphrase is not the right one. */
export class WrongPassphrase extends Error {
  override readonly name = 'WrongPassphrase'
}

async function wrappingKey(passphrase: string, { salt, rounds }: Pick<Wrapped, 'salt' | 'rounds'>) {
  const material = await crypto.subtle.importKey('raw', encode(passphrase), 'PBKDF2', false, ['deriveKey'])
  const parameters = { name: 'PBKDF2', hash: 'SHA-256', salt, iterations: rounds }
  return crypto.subtle.deriveKey(parameters, material, AES, false, ['wrapKey', 'unwrapKey'])
}

const isSealed = (stored: unknown): stored is Sealed =>
  typeof stored === 'object' && stored !== null && 'sealed' in stored

export interface VaultState {
  /** `off`: what is kept is readable. */
  state: 'off' | 'locked' | 'open'
}

export class Vault extends Store<VaultState> {
  readonly #marks = new Database<Wrapped>('vault')
  readonly #channel = openChannel('sotto.vault')
  /** What is done where nobody has touched the page for a while. */
  onIdle: () => unknown = () => this.lock()
  #key?: CryptoKey
  #idle?: ReturnType<typeof setTimeout>

  constructor() {
    super({ state: 'off' })
    this.#channel.addEventListener('message', () => void this.load())
  }

  /** Finds out whether there is a passphrase; what this tab had unlocked is locked. */
  async load(): Promise<void> {
    this.#key = undefined
    this.set({ state: (await this.#marks.get('key')) ? 'locked' : 'off' })
  }

  /** Throws {@link WrongPassphrase}. */
  async unlock(passphrase: string): Promise<void> {
    const wrapped = await this.#marks.get('key')
    if (!wrapped) return this.set({ state: 'off' })
    const wrapping = await wrappingKey(passphrase, wrapped)
    try {
      const by = { name: 'AES-GCM', iv: wrapped.iv }
      this.#key = await crypto.subtle.unwrapKey('raw', wrapped.key, wrapping, by, AES, true, [
        'encrypt',
        'decrypt',
      ])
    } catch {
      throw new WrongPassphrase('That is not the passphrase.')
    }
    this.set({ state: 'open' })
    this.touch()
  }

  /** Forgets the key; other tabs do, too. */
  lock(): void {
    if (this.state.state !== 'open') return
    this.#key = undefined
    clearTimeout(this.#idle)
    this.set({ state: 'locked' })
    this.#channel.postMessage('locked')
  }

  /** Somebody is here. */
  touch(): void {
    clearTimeout(this.#idle)
    if (this.state.state === 'open') this.#idle = setTimeout(() => this.onIdle(), IDLE_MINUTES * 60_000)
  }

  /** A first passphrase, or another one. What is kept already is to be sealed by the caller, record by record. */
  async protect(passphrase: string): Promise<void> {
    const key = this.#key ?? (await crypto.subtle.generateKey(AES, true, ['encrypt', 'decrypt']))
    const [salt, iv] = [random(16), random(12)]
    const wrapping = await wrappingKey(passphrase, { salt, rounds: ROUNDS })
    const wrapped = await crypto.subtle.wrapKey('raw', key, wrapping, { name: 'AES-GCM', iv })
    const isStored = await this.#marks.set('key', { salt, rounds: ROUNDS, iv, key: wrapped })
    if (!isStored) throw new Error('The browser did not keep the key, so nothing was encrypted.')
    this.#key = key
    this.set({ state: 'open' })
    this.touch()
    this.#channel.postMessage('protected')
  }

  /** Forgets the passphrase. What is kept is opened by the caller before, record by record. */
  async unprotect(): Promise<void> {
    await this.#marks.clear()
    await this.load()
    this.#channel.postMessage('off')
  }

  /** As it is to be stored. Throws where it is locked: nothing is stored readable then. */
  async seal<T>(name: string, value: T): Promise<T | Sealed> {
    if (this.state.state === 'off') return value
    if (!this.#key) throw new Error('What this browser keeps is locked.')
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
