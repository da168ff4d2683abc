import fc from 'fast-check'
import { expect, test } from 'vitest'
import { beforeStop, StopText } from './stop-text.ts'

const said = (parts: readonly string[], stops: readonly string[]) => {
  const text = new StopText(stops)
  return { shown: parts.map((part) => text.push(part)).join(''), isHit: text.isHit }
}

test('a stop is found across parts, and nothing of it is shown', () => {
  expect(said(['one EN', 'D two'], ['END'])).toEqual({ shown: 'one ', isHit: true })
  expect(said(['one EN', 'Dless'], ['ENDING'])).toEqual({ shown: 'one ENDless', isHit: false })
})

test('however a text is cut in parts, what is shown is the text before its first stop, but for a beginning of one', () => {
  const letters = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 6 })
  const stops = fc.array(fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 1, maxLength: 3 }), {
    maxLength: 3,
  })
  fc.assert(
    fc.property(fc.array(letters), stops, (parts, stops) => {
      const text = parts.join('')
      const whole = beforeStop(text, stops)
      const { shown, isHit } = said(parts, stops)
      expect(isHit).toBe(whole !== text)
      if (isHit) expect(shown).toBe(whole)
      else {
        expect(whole.startsWith(shown)).toBe(true)
        const held = whole.slice(shown.length)
        expect(held === '' || stops.some((stop) => stop.startsWith(held))).toBe(true)
      }
    }),
  )
})
