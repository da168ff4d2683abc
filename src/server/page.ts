/** Serves the built page and its configuration from an origin of its own, which no other party controls. */
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import type { HttpBindings } from '@hono/node-server'
import { type Context, Hono } from 'hono'
import { compress } from 'hono/compress'
import { getMimeType } from 'hono/utils/mime'
import type { Tls } from '../transport/node/certificate.ts'
import { Visitors } from '../transport/node/visitors.ts'
import { type Embedder, frameAncestors } from './embedders.ts'

export interface PageOptions {
  /** The built page. */
  dir: string
  /**
   * What the page trusts, as JSON: other parties' addresses and keys come from here, and only from here. `host` is the
   * name under which the page is being visited, which on a local network is also the name of the others.
   */
  config: (host: string) => object
  /** Further files, as JSON, by their paths: keys of veiled models, which this origin alone gives away. */
  more?: ReadonlyMap<string, object>
  /** Sites that may show the embedded views in a frame; told to the views with the configuration. */
  embedders?: readonly Embedder[]
  /** Names under which it is visited, besides addresses, `localhost` and what its own certificate names. */
  names?: readonly string[]
  tls?: Tls
}

/** The script that other sites include. */
const WIDGET = '/sotto-widget.js'

/** Every file is read once, at the start: a request can name one of them, and nothing else. */
export function pageApp({
  dir,
  config,
  more,
  embedders = [],
  names = [],
  tls,
}: PageOptions): Hono<{ Bindings: HttpBindings }> {
  const files = new Map(
    listFiles(dir).map((path) => [
      `/${relative(dir, path).split(sep).join('/')}`,
      { path, bytes: new Uint8Array(readFileSync(path)) },
    ]),
  )
  const index = files.get('/index.html')
  if (!index) throw new Error(`There is no page in ${dir}. Build it with: npx vite build`)
  files.set('/', index)
  const ancestors = frameAncestors(embedders)
  const app = new Hono<{ Bindings: HttpBindings }>()
  const visitors = new Visitors({ origins: [], names, tls })
  app.use(async (c, next) => {
    // Under a name of its own choice a foreign page could learn where the others are, and call them by that name, too.
    if (!visitors.isOurName({ host: c.req.header('host') }))
      return c.text('This page is not known by the name that you used.', 421)
    await next()
  })
  app.use(compress({ threshold: 1024 }))
  app.get('/healthz', (c) => c.json({ ok: true }))
  const visited = (c: Context) => config(new URL(c.req.url).hostname)
  app.get('/config.json', (c) => c.json({ ...visited(c), embedders }, 200, { 'cache-control': 'no-store' }))
  app.get('*', (c) => {
    const json = more?.get(c.req.path)
    if (json) return c.json(json, 200, { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
    const file = files.get(c.req.path)
    if (!file) return c.text('There is nothing here.', 404)
    // Vite puts a hash of the contents into the names below assets/.
    const lasting = c.req.path.startsWith('/assets/')
    // Other sites include it with its hash, which takes a request that may be read across origins.
    if (c.req.path === WIDGET) c.header('access-control-allow-origin', '*')
    return c.body(file.bytes, 200, {
      'content-type': getMimeType(file.path) ?? 'application/octet-stream',
      'cache-control': lasting ? 'public, max-age=31536000, immutable' : 'no-cache',
      'content-security-policy': contentSecurityPolicy(
        visited(c),
        c.req.path === '/embed.html' ? ancestors : "'none'",
      ),
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      // Other windows hold no handle of this one, and the browser gives it, and its frames elsewhere, a process of its own.
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': c.req.path === WIDGET ? 'cross-origin' : 'same-origin',
      'document-isolation-policy': 'isolate-and-credentialless',
    })
  })
  return app
}

/** The page may talk to its own origin and to those that its configuration names, and to nobody else. */
function contentSecurityPolicy(config: object, ancestors: string): string {
  const origins = [...new Set(addressesIn(config))].flatMap((origin) => [
    origin,
    origin.replace(/^http/, 'ws'),
  ])
  return [
    "default-src 'none'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "worker-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "font-src 'self'",
    "manifest-src 'self'",
    `connect-src 'self' ${origins.join(' ')}`,
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    'trusted-types default sotto lit-html',
    `frame-ancestors ${ancestors}`,
  ].join('; ')
}

/** Origins of every absolute http(s) address among the values, however deep. */
function addressesIn(value: unknown): string[] {
  if (typeof value === 'object' && value !== null) return Object.values(value).flatMap(addressesIn)
  if (typeof value !== 'string' || !/^https?:/.test(value) || !URL.canParse(value)) return []
  return [new URL(value).origin]
}

const listFiles = (dir: string): string[] =>
  readdirSync(dir, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
