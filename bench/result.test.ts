import { expect, test, vi } from 'vitest'
import { print, type Result } from './result.ts'

/** What is printed of a case, a line a fact. */
function printed(result: Result): string[] {
  const written = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
  print(result, false)
  const text = String(written.mock.calls[0][0])
  written.mockRestore()
  return text.split('\n').map((line) => line.trim().replace(/ +/g, ' '))
}

test('beside seconds stands how often they take the model in the clear, which itself has nothing beside it', () => {
  const lines = printed({
    case: 'decode',
    onlineSeconds: 0.1,
    onlineTimesCleartext: 0.5,
    onlineSecondsAtRtt20: 4,
    cleartextSeconds: 0.2,
    dealerBytes: 20_000,
    hops: 60,
  })
  expect(lines).toEqual([
    '',
    'decode',
    'onlineSeconds 100 ms (0.50 x cleartext)',
    'onlineSecondsAtRtt20 4.00 s (20 x cleartext)',
    'cleartextSeconds 200 ms',
    'dealerBytes 20.0 kB',
    'hops 60',
    '',
  ])
  expect(printed({ case: 'alone', onlineSeconds: 0.1 })).toContain('onlineSeconds 100 ms')
})
