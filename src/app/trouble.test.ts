import { afterEach, expect, test, vi } from 'vitest'
import { speak } from './language.ts'
import { inOneLine, told } from './trouble.ts'

const lost = { code: 'lost', message: 'The data channel is not open.', advice: 'Check the network.' }

afterEach(async () => {
  await speak('en')
  vi.unstubAllGlobals()
})

const inGerman = async (): Promise<void> => {
  vi.stubGlobal('document', { documentElement: {}, querySelectorAll: () => [] })
  await speak('de')
}

test('in English an error says itself what happened and what to do', () => {
  expect(told(lost)).toEqual({ headline: 'The connection was lost', sentences: [lost.message, lost.advice] })
  expect(inOneLine(lost)).toBe('The data channel is not open. Check the network.')
})

test('in another language its code says so, whatever its message is', async () => {
  await inGerman()
  for (const message of [lost.message, 'anything else'])
    expect(told({ ...lost, message })).toEqual({
      headline: 'Die Verbindung ist abgebrochen',
      sentences: ['Prüfen Sie das Netz, dann versuchen Sie es noch einmal.'],
      english: message,
    })
  expect(inOneLine({ ...lost, code: 'gap' })).toMatch(/^Die Parteien waren uneins.* Versuchen Sie/)
  expect(told({ ...lost, code: 'never-heard-of' }).headline).toBe('Etwas ist schiefgegangen')
})

test('what the page has put into words itself stays as it is', async () => {
  await inGerman()
  const away = { code: 'dealer-away', message: 'Der Geber ist weg.', advice: 'Er wird gefragt.' }
  expect(told(away)).toEqual({
    headline: 'Der Geber antwortet nicht',
    sentences: [away.message, away.advice],
  })
})
