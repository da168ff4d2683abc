import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type Browser, chromium, type Page } from 'playwright'
import { createServer, type ViteDevServer } from 'vite'
import { afterAll, beforeAll, expect, test } from 'vitest'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const CHROMIUM = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium'
const HARNESS = '/test/support/kernels/webgpu-harness.ts'

let server: ViteDevServer
let browser: Browser
let page: Page

beforeAll(async () => {
  if (!existsSync(CHROMIUM)) throw new Error(`no Chromium at ${CHROMIUM}: set CHROMIUM_PATH`)
  server = await createServer({
    root: ROOT,
    configFile: false,
    logLevel: 'error',
    appType: 'custom',
    cacheDir: 'node_modules/.vite-kernels',
    server: { host: '127.0.0.1', port: 0, hmr: false, ws: false, watch: null },
    optimizeDeps: { noDiscovery: true },
    plugins: [
      {
        name: 'blank-page',
        configureServer({ middlewares }) {
          middlewares.use('/blank', (_request, response) => {
            response.setHeader('content-type', 'text/html').end('<!doctype html><title>kernels</title>')
          })
        },
      },
    ],
  })
  await server.listen()
  browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ['--enable-unsafe-webgpu', '--no-sandbox', '--headless'],
  })
  page = await browser.newPage()
  const address = server.httpServer?.address()
  if (!address || typeof address === 'string') throw new Error('the test server has no port')
  await page.goto(`http://127.0.0.1:${address.port}/blank`)
})

afterAll(async () => {
  await browser?.close()
  await server?.close()
})

/** Calls a function of the harness in the page. A string, because the page's loader must resolve the import. */
function call<T>(expression: string): Promise<T> {
  return page.evaluate(`import('${HARNESS}').then((harness) => harness.${expression})`)
}

test('every kernel passes its known answers and every product vector agrees', async () => {
  const { wrong, count, dispatches } = await call<{ wrong: number[]; count: number; dispatches: number }>(
    'productVectors()',
  )
  expect(wrong).toEqual([])
  expect(count).toBeGreaterThan(5)
  // at least F, a, c, the product and the sum for each
  expect(dispatches).toBeGreaterThanOrEqual(5 * count)
})

test('random products equal the oracle', async () => {
  expect(await call('randomProducts(25)')).toEqual([])
})

test('products in many pieces, batches and submissions equal the WASM device', async () => {
  expect(await call('largeProducts()')).toEqual([true, true, true])
})

test('a lost device rejects products, says so, and a repeat elsewhere gives the same bytes', async () => {
  const result = await call<{
    name: string
    message: string
    lost: string
    later: string
    repeated: boolean
  }>('loss()')
  expect(result.name).toBe('KernelError')
  expect(result.message).toMatch(/GPU was lost/)
  expect(result.lost).not.toBe('')
  expect(result.later).toBe('KernelError')
  expect(result.repeated).toBe(true)
})

test('a kernel that computes wrongly is refused by name', async () => {
  expect(await call('brokenKernel()')).toBe(
    'KernelError: GPU kernel matmul64 gave a wrong answer in its start-up test',
  )
})

test('a software adapter is taken only when forced, and the reason says so', async () => {
  const [automatic, wasm, webgpu] = await call<{ name: string; reason: string }[]>('choices()')
  expect(automatic.name).toMatch(/wasm/)
  expect(automatic.reason).toMatch(/imitated in software/)
  expect(wasm.reason).toMatch(/as you asked/)
  expect(webgpu.name).toBe('webgpu')
})

test('WASM kernels and the GPU device also work in a Worker', async () => {
  expect(await call('inWorker()')).toEqual([])
})
