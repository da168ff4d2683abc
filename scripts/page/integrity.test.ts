import { expect, it } from 'vitest'
import { withIntegrity } from './integrity.ts'

it('gives scripts, preloads and styles their hashes, and leaves the rest', () => {
  const html =
    '<script type="module" crossorigin src="./assets/a.js"></script><link rel="modulepreload" href="./assets/b.js" />' +
    '<link rel="stylesheet" href="./c.css"><link rel="icon" href="./d.svg" />'
  expect(withIntegrity(html, (path) => `sha384-${path}`)).toBe(
    '<script type="module" crossorigin src="./assets/a.js" integrity="sha384-assets/a.js"></script>' +
      '<link rel="modulepreload" href="./assets/b.js" integrity="sha384-assets/b.js">' +
      '<link rel="stylesheet" href="./c.css" integrity="sha384-c.css"><link rel="icon" href="./d.svg" />',
  )
  expect(() => withIntegrity('<script src="./gone.js"></script>', () => undefined)).toThrow('gone.js')
})
