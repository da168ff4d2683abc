/** An engine behind OpenAI's interface, in both forms that answers come in: a real one answers. */
import { createServer, type Server } from 'node:http'
import { afterEach, expect, test } from 'vitest'
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

test.each(Object.entries(forms))('answers of %s', async (_, form) => {
  const folder = await VeiledFolder.make(servedDecoders[0])
  opened.push({ close: () => folder.remove() })
  const behind = (await loadEngine(readCloud(folder.cloud), { threads: 1 })) as DecoderEngine
  opened.push(behind)
  const upstream = await apiOf(behind, form)
  const without = loadEngine(readCloud(folder.cloud), { upstream: { url: upstream } })
  await expect(without).rejects.toThrow('status 401')
  const engine = (await loadEngine(readCloud(folder.cloud), {
    upstream: { url: upstream, key: KEY },
  })) as DecoderEngine
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
    const order = [...row.keys()].sort((a, b) => row[b] - row[a]).slice(0, 40)
    expect(folder.ends.unveilIds([...answer.ids])).toEqual(order)
    expect(answer.logits[0] - answer.logits[39]).toBeCloseTo(row[order[0]] - row[order[39]], 3)
  }
})

test('what is no such engine is refused, and said so', async () => {
  const folder = await VeiledFolder.make(servedDecoders[0])
  opened.push({ close: () => folder.remove() })
  const behind = (await loadEngine(readCloud(folder.cloud), { threads: 1 })) as DecoderEngine
  opened.push(behind)
  const words = (told: Told) => ({ top_logprobs: [{ ' the': told[0].logprob }] })
  const upstream = await apiOf(behind, words)
  await expect(
    loadEngine(readCloud(folder.cloud), { upstream: { url: upstream, key: KEY } }),
  ).rejects.toThrow(/not ids of this model/)
})
