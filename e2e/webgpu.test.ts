/** The WGSL kernels in a browser: they are what computes, and a wrong one is noticed before a word is shown. */
import type { Browser } from 'playwright'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { ChatPage, launch, webGpu } from './support/page.ts'

const url = inject('url')

describe('with WebGPU', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await launch(webGpu)
  })
  afterAll(() => browser.close())

  it('computes every private product in WGSL', async () => {
    const chat = await ChatPage.fresh(browser)
    await chat.connect(url, '?backend=webgpu')
    const before = await chat.session()
    expect(before.backend).toContain('WebGPU')
    expect(await chat.ask('I need a hotel room.')).not.toBe('')
    const tokens = await chat.tokens()
    const { dispatches, products } = await chat.session()
    expect(tokens).toBeGreaterThan(0)
    expect(products).toBeGreaterThan(0)
    expect(dispatches).toBeGreaterThanOrEqual(products * tokens)
    await chat.close()
  })

  /** One small mistake per shader, of the kind that a driver or a careless edit makes. */
  const mistakes = [
    ['add_ring', 'low += part;', 'low -= part;'],
    ['chacha20', 'rotate(b ^ c, 7u)', 'rotate(b ^ c, 9u)'],
    ['matmul16', '(at & 1u) * 16u', '(at & 1u) * 8u'],
    ['matmul32', 'vec2<u32>(f[at.x], f[at.y])', 'vec2<u32>(f[at.y], f[at.x])'],
    ['matmul64', 'let high = x1 * g1 +', 'let high = x1 * g0 +'],
  ] as const

  it.each(mistakes)('notices a wrong %s', async (_shader, right, wrong) => {
    const chat = await ChatPage.fresh(browser)
    let spoilt = 0
    await chat.page.context().route('**/assets/device-*.js', async (route) => {
      const response = await route.fetch()
      const script = await response.text()
      if (script.includes(right)) spoilt++
      await route.fulfill({ response, body: script.replaceAll(right, wrong) })
    })
    await chat.page.goto(`${url}?backend=webgpu`)
    await chat.problem.waitFor()
    expect(spoilt).toBe(1)
    expect(await chat.problem.textContent()).toContain('can’t compute its share')
    await chat.say('I need a hotel room.')
    await chat.problem.waitFor()
    expect(await chat.replies.count()).toBe(0)
    await chat.close()
  })

  it('prefers the processor to a GPU imitated in software, and says so', async () => {
    const chat = await ChatPage.fresh(browser)
    await chat.connect(url)
    expect((await chat.session()).backend).toMatch(/WebAssembly.*software/)
    await chat.close()
  })
})

describe('without WebGPU', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await launch('--disable-features=WebGPU')
  })
  afterAll(() => browser.close())

  it('computes on the processor, and says why', async () => {
    const chat = await ChatPage.fresh(browser)
    await chat.connect(url)
    expect(await chat.ask('I need a hotel room.')).not.toBe('')
    const { backend, dispatches } = await chat.session()
    expect(backend).toMatch(/^WebAssembly · .*(WebGPU|GPU)/)
    expect(dispatches).toBe(0)
    await chat.close()
  })

  it('says so when WebGPU is insisted on', async () => {
    const chat = await ChatPage.fresh(browser)
    await chat.page.goto(`${url}?backend=webgpu`)
    await chat.problem.waitFor()
    expect(await chat.problem.textContent()).toContain('can’t compute its share')
    await chat.close()
  })
})
