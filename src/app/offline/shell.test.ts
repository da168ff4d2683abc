import { expect, it } from 'vitest'
import { fileAt, type Shell } from './shell.ts'

const shell: Shell = { version: '1', files: { 'index.html': 'h', 'assets/a-1.js': 'h' }, first: [] }
const scope = 'https://chat.example/app/'

it('knows the files of the page, whatever is asked of them', () => {
  expect(fileAt('https://chat.example/app/?model=a#x', scope, shell)).toBe('index.html')
  expect(fileAt('https://chat.example/app/assets/a-1.js', scope, shell)).toBe('assets/a-1.js')
})

it('leaves alone what is private, unknown, or of another origin', () => {
  const foreign = ['config.json', 'models/m/tokenizer.json', 'assets/a-2.js', 'toString', '../index.html']
  for (const path of foreign) expect(fileAt(new URL(path, scope).href, scope, shell), path).toBeUndefined()
  expect(fileAt('https://elsewhere.example/app/index.html', scope, shell)).toBeUndefined()
})
