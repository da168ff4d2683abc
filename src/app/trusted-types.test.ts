import { expect, it } from 'vitest'
import { ownScript } from './trusted-types.ts'

it('takes scripts from beside the page alone', () => {
  const page = 'https://chat.example/app/?model=a'
  expect(ownScript('./assets/worker-1.js', page)).toBe('https://chat.example/app/assets/worker-1.js')
  for (const url of [
    'https://elsewhere.example/app/a.js',
    '../a.js',
    'data:text/javascript,1',
    'blob:https://chat.example/x',
  ])
    expect(() => ownScript(url, page), url).toThrow(TypeError)
})
