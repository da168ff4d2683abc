import { expect, it } from 'vitest'
import { withImports } from './static-imports.ts'

it('follows what is imported at once, in a circle too, and nothing that is imported later', () => {
  const texts: Record<string, string> = {
    'a.js': 'import{x}from"./b.js";import"./c.js";const later=()=>import("./d.js")',
    'b.js': 'export{y}from"./e.js"',
    'c.js': 'import{a}from"./a.js"',
    'd.js': '',
    'e.js': '',
  }
  expect([...withImports(['a.js'], (name) => texts[name])].sort()).toEqual(['a.js', 'b.js', 'c.js', 'e.js'])
})
