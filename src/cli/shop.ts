/** A sample site of somebody else, which embeds the private chat: on an origin of its own, under a strict policy. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { HttpBindings } from '@hono/node-server'
import { Hono } from 'hono'
import { pageDir } from './build-page.ts'

const dir = fileURLToPath(new URL('../../examples/shop', import.meta.url))
const types = { 'shop.js': 'text/javascript', 'shop.css': 'text/css' } as const

/**
 * Serves `examples/shop`.
 * @param pageAt the origin of the page that belongs to a host name under which the shop is visited
 */
export function shopApp(pageAt: (host: string) => string): Hono<{ Bindings: HttpBindings }> {
  const app = new Hono<{ Bindings: HttpBindings }>()
  const html = readFileSync(join(dir, 'index.html'), 'utf8')
  const widget = readFileSync(join(pageDir, 'sotto-widget.js'))
  const integrity = `sha384-${createHash('sha384').update(widget).digest('base64')}`
  app.get('/', (c) => {
    const page = pageAt(new URL(c.req.url).hostname)
    const policy = [
      "default-src 'none'",
      "style-src 'self'",
      `script-src 'self' ${page}/sotto-widget.js`,
      `frame-src ${page}`,
      "base-uri 'none'",
      "form-action 'self'",
    ].join('; ')
    return c.html(html.replace('{{page}}', page).replace('{{integrity}}', integrity), 200, {
      'content-security-policy': policy,
    })
  })
  for (const [name, type] of Object.entries(types))
    app.get(`/${name}`, (c) => c.body(readFileSync(join(dir, name), 'utf8'), 200, { 'content-type': type }))
  return app
}
