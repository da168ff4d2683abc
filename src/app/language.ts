/** The language of the page: its texts are in `locales/`, numbers and dates are written by `Intl`. */
import { html, nothing, ReactiveElement } from 'lit'
import type embed from './locales/en.embed.json'
import en from './locales/en.json'
import type views from './locales/en.views.json'

/** What people choose among, each by its own name. */
export const languages = {
  en: 'English',
  de: 'Deutsch',
  fr: 'Français',
  es: 'Español',
  ar: 'العربية',
} as const
export type Language = keyof typeof languages

/** A text; where it counts something, one for each of the language's plural forms. */
export type Message = string | Partial<Record<Intl.LDMLPluralRule, string>>
export type Key = keyof typeof en | keyof typeof views | keyof typeof embed
type Messages = Readonly<Record<Key, Message>>

/**
 * What others say in English: notices of protections, and what the engine reports. Sentences that a locale doesn't have are
 * shown as they are, and marked as English.
 */
type Sentences = Readonly<Record<string, string>>

/** What to do about errors, by their headlines' names. In English errors say so themselves. */
type Advice = Readonly<Record<string, string>>

interface Locale {
  readonly messages: Messages
  readonly sentences: Sentences
  readonly advice: Advice
}

const loaders: Record<Language, () => Promise<{ default: Locale }>> = {
  en: async () => ({ default: { messages: english, sentences: {}, advice: {} } }),
  de: () => import('./locales/de.json'),
  fr: () => import('./locales/fr.json'),
  es: () => import('./locales/es.json'),
  ar: () => import('./locales/ar.json'),
}

const isLanguage = (tag: string): tag is Language => Object.hasOwn(languages, tag)

/** The first of somebody's languages that there is; English otherwise. */
export const fitting = (tags: readonly string[]): Language =>
  tags.map((tag) => tag.split('-')[0].toLowerCase()).find(isLanguage) ?? 'en'

let language: Language = 'en'
/** What has been loaded of it. */
let english = en as Messages
let messages = english
let sentences: Sentences = {}
let advice: Advice = {}
let ready: Promise<void> = Promise.resolve()

export const languageNow = (): Language => language
/** Resolves once the texts are there that were asked for last. */
export const languageReady = (): Promise<void> => ready

/** Speaks another language from now on; where its texts can't be loaded, the one so far. */
export function speak(chosen: Language): Promise<void> {
  const load = async () => {
    const loaded = await loaders[chosen]().catch(() => undefined)
    if (!loaded) return
    ;({ messages, sentences, advice } = loaded.default)
    language = chosen
    document.documentElement.lang = chosen
    document.documentElement.dir = chosen === 'ar' ? 'rtl' : 'ltr'
    redraw(document)
  }
  ready = chosen === language ? Promise.resolve() : load()
  return ready
}

/** Whatever is on the page says it anew. */
function redraw(root: ParentNode): void {
  for (const element of root.querySelectorAll('*')) {
    if (element instanceof ReactiveElement) element.requestUpdate()
    if (element.shadowRoot) redraw(element.shadowRoot)
  }
}

const made = new Map<string, unknown>()
/** What `Intl` makes for this language, once. */
function once<T>(name: string, make: (language: Language) => T): T {
  const key = `${language} ${name}`
  if (!made.has(key)) made.set(key, make(language))
  return made.get(key) as T
}

/** 1234.5 as it is written here. */
export const number = (value: number, options: Intl.NumberFormatOptions = {}): string =>
  once(JSON.stringify(options), (tag) => new Intl.NumberFormat(tag, options)).format(value)

export const date = (time: number, options: Intl.DateTimeFormatOptions): string =>
  once(JSON.stringify(options), (tag) => new Intl.DateTimeFormat(tag, options)).format(time)

/** "3 hr. ago". */
export const since = (amount: number, unit: Intl.RelativeTimeFormatUnit): string =>
  once('since', (tag) => new Intl.RelativeTimeFormat(tag, { numeric: 'auto', style: 'short' })).format(
    -amount,
    unit,
  )

export type Values = Readonly<Record<string, string | number>>

function pattern(key: Key, values: Readonly<Record<string, unknown>>): string {
  // A view that isn't there yet has none.
  const message: Message = messages[key] ?? ''
  if (typeof message === 'string') return message
  const form = once('plural', (tag) => new Intl.PluralRules(tag)).select(Number(values.n))
  return message[form] ?? message.other ?? ''
}

/** More English texts, of a view that has been loaded. */
export function addEnglish(more: Partial<Messages>): void {
  english = { ...english, ...more }
  if (language === 'en') messages = english
}

/** Whether there is a text of this name. */
export const has = (key: string): key is Key => Object.hasOwn(english, key)

/** A text with its values: `{name}` stands for one, numbers are written as here, and `n` decides the plural form. */
export function t(key: Key, values: Values = {}): string {
  return pattern(key, values).replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = values[name]
    return typeof value === 'number' ? number(value) : (value ?? '')
  })
}

/** A text whose values are parts of a template, in the order that the language wants them. */
export function parts(key: Key, values: Readonly<Record<string, unknown>>): unknown[] {
  return pattern(key, values)
    .split(/\{(\w+)\}/)
    .map((part, at) => {
      if (at % 2 === 0) return part
      const value = values[part]
      return typeof value === 'number' ? number(value) : value
    })
}

/** What to do about an error with this headline; nothing where errors speak the language themselves. */
export const adviceOn = (headline: string): string | undefined => advice[headline]

/** What somebody else says in English, in this language if it is known. */
export const sentence = (said: string): string => sentences[said] ?? said

/** `sentence` as a part of the page, marked as English where it is. */
export function theirs(said: string | undefined): unknown {
  if (!said) return nothing
  const known = sentences[said]
  return known ?? (language === 'en' ? said : html`<span lang="en" dir="ltr">${said}</span>`)
}
