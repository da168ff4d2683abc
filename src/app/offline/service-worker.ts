/// <reference lib="webworker" />
/**
 * Keeps the page itself, so that conversations can be read without a network. It answers for the files of its own build and for
 * nothing else: configuration, models and every other origin go past it. A file is kept only if it has the hash that the
 * build gave it, so a release is kept whole or not at all; the next one takes over once no tab shows this one any more.
 */
import { ERASED } from './erased.ts'
import { fetchWhole } from './fetch-whole.ts'
import { fileAt, INDEX, isLasting, SHELL, type Shell } from './shell.ts'

/** Put in by the build. */
declare const __SHELL__: Shell

const worker = globalThis as unknown as ServiceWorkerGlobalScope
const shell = __SHELL__
const { scope } = worker.registration
const name = `${SHELL}${shell.version}`

const address = (path: string): string => new URL(path, scope).href

let isErased = false

/** Fetches a file of this build and keeps it. Rejects where the network has none, or another one. */
async function keep(path: string): Promise<Response> {
  const response = await fetchWhole(address(path), shell.files[path])
  // Erased since: this release runs until its tabs are closed, and keeps nothing more.
  if (isErased) return response
  const cache = await caches.open(name)
  // A full disk keeps nothing; the file is used all the same.
  await cache.put(address(path), response.clone()).catch(() => undefined)
  if (isErased) await caches.delete(name)
  return response
}

async function kept(path: string): Promise<Response | undefined> {
  return caches.match(address(path), { cacheName: name })
}

/** From the network first: whoever is online gets the release that is served now, and what it names with it. */
async function newest(request: Request, path: string): Promise<Response> {
  try {
    return await fetch(request)
  } catch (error) {
    const found = await kept(path)
    if (found) return found
    throw error
  }
}

/** As it was built, or not at all: a file by that name with another hash is another file. */
async function lasting(path: string): Promise<Response> {
  const found = await kept(path)
  if (found) return found
  // Without a network, the browser itself may have it still.
  const held = () => fetchWhole(address(path), shell.files[path], 'force-cache')
  return keep(path)
    .catch(held)
    .catch(() => Response.error())
}

worker.addEventListener('message', ({ data }) => {
  if (data === ERASED) isErased = true
})

worker.addEventListener('install', (event) => {
  event.waitUntil(Promise.all(shell.first.map(keep)))
})

worker.addEventListener('activate', (event) => {
  const older = async () => {
    const names = await caches.keys()
    for (const other of names) if (other.startsWith(SHELL) && other !== name) await caches.delete(other)
  }
  event.waitUntil(older())
})

worker.addEventListener('fetch', (event) => {
  const { request } = event
  const path = request.method === 'GET' ? fileAt(request.url, scope, shell) : undefined
  // Of pages only the chat: views in other sites' frames keep nothing.
  if (path === undefined || (request.mode === 'navigate' && path !== INDEX)) return
  event.respondWith(isLasting(path) ? lasting(path) : newest(request, path))
})
