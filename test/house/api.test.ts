import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { apiPage, undocumented } from '../../scripts/api/page.ts'

it('docs/api.md is what `npm run api` writes', () => {
  expect(readFileSync('docs/api.md', 'utf8') === apiPage(), 'run npm run api').toBe(true)
})

it('everything that is exported says what it is', () => {
  expect(undocumented()).toEqual([])
})
