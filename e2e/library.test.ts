/** The library as a package, built by the bundlers that people have, and run in a page with its worker. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import * as esbuild from 'esbuild'
import type { Browser } from 'playwright'
import * as vite from 'vite'
import { afterAll, beforeAll, expect, inject, it } from 'vitest'
import webpack from 'webpack'
import { buildPackage } from '../scripts/package/build.ts'
import { launch, PATIENCE_MS } from './support/page.ts'

const url = inject('url')
const app = `
import { Sotto } from 'sotto'
const messages = [{ role: 'user', content: 'I need a hotel in Paris.' }]
fetch('/config.json')
  .then((response) => response.json())
  .then(({ server, protections }) => new Sotto({ server, protections }))
  .then((sotto) => sotto.chat.completions.create({ model: 'sotto-demo', messages, max_tokens: 4, temperature: 0 }))
  .then(({ choices, usage }) => JSON.stringify({ text: choices[0].message.content, hops: usage.hops }))
  .catch((error) => String(error))
  .then((text) => document.body.append(text))`

/** Each makes `NAME/app.js` of the app, with whatever goes with it. */
const bundlers: Record<string, (root: string, out: string) => Promise<unknown>> = {
  vite: (root, outDir) =>
    vite.build({
      root,
      configFile: false,
      logLevel: 'warn',
      base: './',
      build: {
        outDir,
        target: 'es2023',
        rolldownOptions: { input: join(root, 'app.js'), output: { entryFileNames: 'app.js' } },
      },
    }),
  webpack: async (root, path) => {
    const stats = await promisify<webpack.Configuration, webpack.Stats | undefined>(webpack)({
      mode: 'production',
      context: root,
      entry: { app: './app.js' },
      output: { path, publicPath: 'auto', module: true, filename: '[name].js', chunkFilename: '[name].js' },
      experiments: { outputModule: true },
      optimization: { minimize: false },
      performance: false,
    })
    if (stats?.hasErrors()) throw new Error(stats.toString())
  },
  esbuild: (root, outdir) =>
    esbuild.build({
      absWorkingDir: root,
      entryPoints: { app: './app.js', 'sotto-worker': 'sotto/worker' },
      bundle: true,
      format: 'esm',
      logLevel: 'warning',
      outdir,
    }),
}

let root: string
let browser: Browser
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'sotto-library-'))
  mkdirSync(join(root, 'node_modules'))
  await buildPackage(join(root, 'node_modules', 'sotto'))
  writeFileSync(join(root, 'package.json'), '{ "type": "module" }')
  writeFileSync(join(root, 'app.js'), app)
  browser = await launch()
})
afterAll(async () => {
  await browser.close()
  rmSync(root, { recursive: true })
})

it.each(Object.keys(bundlers))('%s finds the worker, and the page answers', async (name) => {
  await bundlers[name](root, join(root, name))
  // On the origin that server and dealer know, in place of the page itself; a page that no address was asked for must be let
  // speak to this machine.
  const context = await browser.newContext({ permissions: ['local-network-access'] })
  const page = await context.newPage()
  page.setDefaultTimeout(PATIENCE_MS)
  await context.route(`${url}/lib/**`, (route) => {
    const path = new URL(route.request().url()).pathname.slice('/lib/'.length)
    return path === ''
      ? route.fulfill({
          contentType: 'text/html',
          body: `<script type="module" src="${name}/app.js"></script><body>`,
        })
      : route.fulfill({ contentType: 'text/javascript', body: readFileSync(join(root, path)) })
  })
  await page.goto(`${url}/lib/`)
  await expect.poll(() => page.textContent('body')).toMatch(/\S/)
  expect(JSON.parse((await page.textContent('body')) ?? '')).toEqual({
    text: expect.stringMatching(/\w/),
    hops: expect.any(Number),
  })
  await context.close()
})
