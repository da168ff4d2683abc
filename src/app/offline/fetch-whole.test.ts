import { afterEach, expect, it, vi } from 'vitest'
import { fetchWhole } from './fetch-whole.ts'

afterEach(() => vi.unstubAllGlobals())

const answer = (status: number, isRedirected: boolean): Response => {
  const response = new Response(status === 200 ? '<p>page' : 'gone', {
    status,
    headers: { 'x-policy': 'strict' },
  })
  if (isRedirected) Object.defineProperty(response, 'redirected', { value: true })
  return response
}

it('answers for a page where the host has sent it elsewhere, with the headers that came', async () => {
  const asked: Request[] = []
  vi.stubGlobal('fetch', async (request: Request) => {
    asked.push(request)
    return answer(200, true)
  })
  const response = await fetchWhole('https://chat.example/index.html', 'sha384-abc')
  expect(response.redirected).toBe(false)
  expect([await response.text(), response.headers.get('x-policy')]).toEqual(['<p>page', 'strict'])
  expect(asked[0].integrity).toBe('sha384-abc')
})

it('has no answer of a host that has no such file', async () => {
  vi.stubGlobal('fetch', async () => answer(404, false))
  await expect(fetchWhole('https://chat.example/a.js', 'sha384-abc')).rejects.toThrow('404')
})
