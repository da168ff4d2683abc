/** An engine behind OpenAI's interface, in both forms that answers come in: a real one answers. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { servedDecoders, someIds, VeiledFolder } from '../../../../test/support/veil/served.ts'
import { readCloud } from './checkpoint.ts'
import type { DecoderEngine } from './engine.ts'
import { loadEngine } from './load.ts'

const calm = new AbortController().signal
const opened: { close(): unknown }[] = []
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close()
})

const KEY = 'a-key'
type Told = { id: number; logprob: number }[]
const forms = {
  vLLM: (told: Told) => ({
    top_logprobs: [Object.fromEntries(told.map(({ id, logprob }) => [`token_id:${id}`, logprob]))],
  }),
  'llama.cpp': (told: Told) => ({ content: [{ id: told[0].id, top_logprobs: told }] }),
}

/** Answers as such servers do, from an engine of its own. */
async function apiOf(engine: DecoderEngine, form: (told: Told) => object): Promise<string> {
  const server: Server = createServer(async (request, response) => {
    if (request.headers.authorization !== `Bearer ${KEY}`) {
      response.writeHead(401).end()
      return
    }
    let body = ''
    for await (const piece of request) body += piece
    const { prompt, max_tokens: most } = JSON.parse(body) as { prompt: number[]; max_tokens: number }
    expect({ path: request.url, most }).toEqual({ path: '/a/prefix/v1/completions', most: 1 })
    const session = await engine.open()
    const { ids, logits } = await session.next(0, Uint32Array.from(prompt), calm)
    await session.close()
    const told = [...ids].map((id, i) => ({ id, logprob: logits[i] - 10 }))
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ choices: [{ index: 0, logprobs: form(told) }] }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  opened.push({ close: () => new Promise((resolve) => server.close(resolve)) })
  const address = server.address()
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/a/prefix`
}

/** Prompts, and the same text again and back, as an owner asks: answers are the original's, as near as `digits` says. */
async function expectOriginal(folder: VeiledFolder, engine: DecoderEngine, digits: number): Promise<void> {
  const session = await engine.open()
  const ids = someIds(12)
  const veiled = Uint32Array.from(folder.ends.veilIds(ids))
  const want = folder.logits(ids)
  for (const [base, end] of [
    [0, 10],
    [10, 11],
    [4, 6],
  ]) {
    const answer = await session.next(base, veiled.subarray(base, end), calm)
    const row = want[end - 1]
    const own = folder.ends.unveilIds([...answer.ids])
    expect(own).toHaveLength(40)
    expect(own[0]).toBe([...row.keys()].sort((a, b) => row[b] - row[a])[0])
    own.forEach((id, i) => {
      // They are known but for a constant.
      expect(answer.logits[0] - answer.logits[i]).toBeCloseTo(row[own[0]] - row[id], digits)
    })
  }
}

async function folderOf(gguf: boolean): Promise<VeiledFolder> {
  const folder = await VeiledFolder.make(servedDecoders[0], gguf)
  opened.push({ close: () => folder.remove() })
  return folder
}

const isInstalled = await import('node-llama-cpp' as string).then(
  () => true,
  () => false,
)
const engines = [
  { name: 'onnx', digits: 3 },
  ...(isInstalled ? [{ name: 'llama', digits: 2 } as const] : []),
] as const
const behind = engines.flatMap((engine) => Object.keys(forms).map((form) => ({ ...engine, form })))

test.each(behind)('answers of $form, by $name', async ({ name, digits, form }) => {
  const folder = await folderOf(name === 'llama')
  const own = (await loadEngine(readCloud(folder.cloud), { name, threads: 1 })) as DecoderEngine
  opened.push(own)
  const upstream = await apiOf(own, forms[form as keyof typeof forms])
  const without = loadEngine(readCloud(folder.cloud), { upstream: { url: upstream } })
  await expect(without).rejects.toThrow('status 401')
  const engine = await loadEngine(readCloud(folder.cloud), { upstream: { url: upstream, key: KEY } })
  await expectOriginal(folder, engine as DecoderEngine, digits)
})

/** A program of llama.cpp's; it comes in no package that this project can install. */
const { LLAMA_SERVER } = process.env

test.skipIf(!LLAMA_SERVER)('llama-server itself, where LLAMA_SERVER names it', async () => {
  const folder = await folderOf(true)
  const port = await freePort()
  const server = spawn(LLAMA_SERVER!, [
    ...['-m', join(folder.cloud, 'model.gguf'), '--host', '127.0.0.1', '--port', String(port)],
    ...['--api-key', KEY, '--parallel', '2', '--no-context-shift'],
    ...['-fa', 'off', '-ctk', 'f32', '-ctv', 'f32'],
  ])
  opened.push({ close: () => stopped(server) })
  const url = `http://127.0.0.1:${port}`
  await vi.waitFor(async () => expect((await fetch(`${url}/health`)).ok).toBe(true), 60_000)
  const engine = await loadEngine(readCloud(folder.cloud), { upstream: { url, key: KEY } })
  await expectOriginal(folder, engine as DecoderEngine, 2)
})

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  return port
}

async function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill()
  await once(child, 'exit')
}

test('what is no such engine is refused, and said so', async () => {
  const folder = await folderOf(false)
  const own = (await loadEngine(readCloud(folder.cloud), { threads: 1 })) as DecoderEngine
  opened.push(own)
  const words = (told: Told) => ({ top_logprobs: [{ ' the': told[0].logprob }] })
  const upstream = await apiOf(own, words)
  await expect(
    loadEngine(readCloud(folder.cloud), { upstream: { url: upstream, key: KEY } }),
  ).rejects.toThrow(/not ids of this model/)
})
