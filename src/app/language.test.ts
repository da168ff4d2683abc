import { describe, expect, it } from 'vitest'
import { protections } from '../protections/registry.ts'
import './view-texts.ts'
import { fitting, languages, type Message, parts, t } from './language.ts'
import ar from './locales/ar.json'
import de from './locales/de.json'
import embed from './locales/en.embed.json'
import core from './locales/en.json'
import views from './locales/en.views.json'
import es from './locales/es.json'
import fr from './locales/fr.json'

const en = { ...core, ...views, ...embed }
const locales = { de, fr, es, ar }
const messages = Object.entries<Record<string, Message>>({
  en,
  ...Object.fromEntries(Object.entries(locales).map(([language, { messages }]) => [language, messages])),
})

const forms = (message: Message): string[] =>
  typeof message === 'string' ? [message] : Object.values(message)
const placeholders = (text: string): string[] => [...new Set(text.match(/\{\w+\}/g) ?? [])].sort()
const strings = (value: unknown): string[] =>
  typeof value === 'string'
    ? [value]
    : typeof value === 'object' && value
      ? Object.values(value).flatMap(strings)
      : []

it('has a locale for every language', () => {
  expect(messages.map(([language]) => language).sort()).toEqual(Object.keys(languages).sort())
})

describe.each(messages)('%s', (language, texts) => {
  it('has every text and no other', () => {
    expect(Object.keys(texts).sort()).toEqual(Object.keys(en).sort())
  })

  it('has the same values in every text, in every form of it', () => {
    for (const [key, english] of Object.entries<Message>(en))
      for (const form of forms(texts[key]))
        expect([key, placeholders(form)]).toEqual([key, placeholders(forms(english)[0])])
  })

  it('has each plural form of the language, where something is counted', () => {
    const { pluralCategories } = new Intl.PluralRules(language).resolvedOptions()
    for (const [key, message] of Object.entries<Message>(en))
      if (typeof message !== 'string')
        expect([key, ...Object.keys(texts[key]).sort()]).toEqual([key, ...[...pluralCategories].sort()])
  })
})

/** Of problems, and not of one. */
const notHeadlines = new Set(['problem.answer', 'problem.said', 'problem.unanswered'])

describe('what others say in English', () => {
  const shared = protections.find(({ id }) => id === 'shared')

  it.each(Object.entries(locales))('is told in %s: all that secret sharing promises', (_, { sentences }) => {
    const known = new Set(Object.keys(sentences))
    expect(strings(shared?.notice).filter((text) => !known.has(text))).toEqual([])
  })

  it.each(Object.entries(locales))('is told in %s: what to do about every error', (_, { advice }) => {
    const headlines = Object.keys(core).filter((key) => key.startsWith('problem.') && !notHeadlines.has(key))
    expect(Object.keys(advice).map((name) => `problem.${name}`)).toEqual(headlines.sort())
  })

  it('is translated alike everywhere, values included', () => {
    for (const { sentences } of Object.values(locales)) {
      expect(Object.keys(sentences)).toEqual(Object.keys(de.sentences))
      for (const [english, told] of Object.entries(sentences))
        expect(placeholders(told)).toEqual(placeholders(english))
    }
  })
})

it('speaks the first of the browser’s languages that there is', () => {
  expect(fitting(['pt-BR', 'de-AT', 'en'])).toBe('de')
  expect([fitting(['ar-EG']), fitting(['tlh']), fitting([])]).toEqual(['ar', 'en', 'en'])
})

it('puts values into texts', () => {
  expect([t('hops', { n: 1 }), t('hops', { n: 1200 })]).toEqual(['1 hop', '1,200 hops'])
  expect(t('results.page', { page: 2, n: 3 })).toBe('page 2 of 3')
  expect(parts('settings.enter', { enter: 'A', newline: 'B' }).join('')).toBe('A sends, B starts a new line')
})
