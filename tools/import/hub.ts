/** Models from Hugging Face's hub, or a mirror of it: into a cache, resumed where a download stopped, and checked. */
import { createHash } from 'node:crypto'
import { createReadStream, existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseIndex } from './checkpoint-folder.ts'
import { ImportError } from './error.ts'
import { settingsFiles } from './sentence-model.ts'
import { readJson } from './source.ts'

export interface HubOptions {
  /** Base address; by default `HF_ENDPOINT` or the hub. */
  endpoint?: string
  /** Branch, tag or commit. */
  revision?: string
  /** Folder that keeps what was downloaded. */
  cache?: string
  onProgress?: (progress: { file: string; loaded: number; total: number }) => void
  fetch?: typeof globalThis.fetch
}

const HUB = 'https://huggingface.co'

/** Attempts at one file; each goes on where the one before it stopped. */
const ATTEMPTS = 4

/** Without these a model may still be whole. */
const OPTIONAL = [
  'generation_config.json',
  'tokenizer_config.json',
  'chat_template.jinja',
  'tokenizer.json',
  'vocab.txt',
  'vocab.json',
  'merges.txt',
  'added_tokens.json',
  'special_tokens_map.json',
  'modules.json',
  'config_sentence_transformers.json',
  ...settingsFiles,
  '1_Pooling/config.json',
]

/** `org/name`, or `name` alone for the hub's oldest models. */
export const isHubName = (name: string): boolean => /^[\w-][\w.-]*(\/[\w-][\w.-]*)?$/.test(name)

/** Downloads what is missing of a model; resolves with its folder. Throws {@link ImportError}. */
export async function fetchModel(name: string, o: HubOptions = {}): Promise<string> {
  const endpoint = (o.endpoint ?? process.env.HF_ENDPOINT ?? HUB).replace(/\/+$/, '')
  const revision = o.revision ?? 'main'
  const cache = o.cache ?? join(process.env.HF_HOME ?? join(homedir(), '.cache'), 'sotto/hub')
  // Files of one place or revision never pass for those of another.
  const place = endpoint === HUB ? '' : `${encodeURIComponent(endpoint)}--`
  const dir = join(cache, `${place}${name.replace('/', '--')}--${encodeURIComponent(revision)}`)
  mkdirSync(dir, { recursive: true })
  const get = (file: string) =>
    fetchFile(`${endpoint}/${name}/resolve/${encodeURIComponent(revision)}/${file}`, dir, file, o)
  if (!(await get('config.json')))
    throw new ImportError(
      'hub',
      `${endpoint} has no model "${name}" with a config.json at "${revision}". Check the name; gated models need to be downloaded by hand.`,
    )
  for (const file of OPTIONAL) await get(file)
  if (!(await get('model.safetensors')) && !(await get('model.safetensors.index.json')))
    throw new ImportError('hub', `${name} has no safetensors weights on the hub. Convert them first.`)
  const index = join(dir, 'model.safetensors.index.json')
  if (!existsSync(join(dir, 'model.safetensors')))
    for (const file of new Set(Object.values(parseIndex(index, JSON.stringify(readJson(index))))))
      if (!(await get(file))) throw new ImportError('hub', `${name} lacks ${file}, which its index names.`)
  return dir
}

/** Resolves with false where the hub has no such file. A file in the folder is whole and was checked. */
async function fetchFile(url: string, dir: string, file: string, o: HubOptions): Promise<boolean> {
  const path = join(dir, file)
  if (existsSync(path)) return true
  const part = `${path}.part`
  mkdirSync(dirname(path), { recursive: true })
  let problem: unknown
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (attempt > 0) await new Promise((resolve) => setTimeout(resolve, 200 * 2 ** attempt))
    try {
      const expected = await download(url, part, file, o)
      if (!expected) return false
      await check(part, file, expected)
      renameSync(part, path)
      return true
    } catch (error) {
      if (error instanceof ImportError && error.fault !== 'hub') throw error
      problem = error
    }
  }
  const why = problem instanceof Error ? problem.message : String(problem)
  throw new ImportError(
    'hub',
    `${url} can't be downloaded: ${why.replace(/\.?$/, '.')} Is this machine online? What arrived is kept: try again.`,
    {
      file: url,
      cause: problem,
    },
  )
}

interface Expected {
  size?: number
  /** SHA-256, which the hub gives for large files. */
  sha256?: string
  /** Git's SHA-1 of the blob, which it gives for small ones. */
  blob?: string
}

/** Appends what is missing to `part`; resolves with what the whole must be, or nothing where there is no such file. */
async function download(
  url: string,
  part: string,
  file: string,
  o: HubOptions,
): Promise<Expected | undefined> {
  const fetch = o.fetch ?? globalThis.fetch
  const have = existsSync(part) ? statSync(part).size : 0
  const { response, expected } = await follow(fetch, url, have)
  if (response.status === 404 || response.status === 401 || response.status === 403) {
    await response.body?.cancel()
    if (response.status === 404) return undefined
    throw new ImportError('not-found', `${url} answers ${response.status}: the model is private or gated.`, {
      file: url,
    })
  }
  // Nothing is missing, or what is there is longer than the file: begin anew in that case.
  if (response.status === 416) {
    await response.body?.cancel()
    if (expected.size === have) return expected
    rmSync(part, { force: true })
    throw new ImportError('hub', 'The partial file does not fit.')
  }
  if (!response.ok || !response.body) throw new ImportError('hub', `The server answers ${response.status}.`)
  const resumes = response.status === 206
  const from = resumes ? have : 0
  const length = Number(response.headers.get('content-length') ?? Number.NaN)
  const size = expected.size ?? (Number.isFinite(length) ? from + length : undefined)
  const handle = await open(part, resumes ? 'a' : 'w')
  let loaded = from
  try {
    for await (const chunk of response.body) {
      await handle.write(chunk as Uint8Array)
      loaded += (chunk as Uint8Array).length
      o.onProgress?.({ file, loaded, total: size ?? 0 })
    }
  } finally {
    await handle.close()
  }
  if (size !== undefined && loaded < size)
    throw new ImportError('hub', `The download stopped at ${loaded} of ${size} bytes.`)
  return { ...expected, size }
}

/** Follows redirects by hand: the hub describes a file where it redirects, the store behind it sends the bytes. */
async function follow(
  fetch: typeof globalThis.fetch,
  url: string,
  have: number,
): Promise<{ response: Response; expected: Expected }> {
  const expected: Expected = {}
  let at = url
  for (let hop = 0; hop < 6; hop++) {
    const headers: Record<string, string> = { 'accept-encoding': 'identity' }
    if (have > 0) headers.range = `bytes=${have}-`
    const response = await fetch(at, { headers, redirect: 'manual' })
    // What a file must be is for the hub to say, under each of its addresses; never for the store that sends the bytes.
    const isHub = new URL(at).host === new URL(url).host
    const tag = isHub
      ? (response.headers.get('x-linked-etag') ?? response.headers.get('etag'))?.replace(/^W\/|"/g, '')
      : undefined
    if (tag && /^[0-9a-f]{64}$/.test(tag)) expected.sha256 = tag
    else if (tag && /^[0-9a-f]{40}$/.test(tag)) expected.blob = tag
    const linked = Number(response.headers.get('x-linked-size') ?? Number.NaN)
    if (isHub && Number.isFinite(linked)) expected.size = linked
    const next = response.headers.get('location')
    if (response.status < 300 || response.status >= 400 || !next) return { response, expected }
    await response.body?.cancel()
    at = new URL(next, at).href
    // A password for the hub would not be for the store; there is none here, but neither may the way back be plain.
    if (url.startsWith('https:') && !at.startsWith('https:'))
      throw new ImportError('hub', `${url} redirects to a plain address, ${at}.`)
  }
  throw new ImportError('hub', `${url} redirects in circles.`)
}

async function check(part: string, file: string, { size, sha256, blob }: Expected): Promise<void> {
  const found = statSync(part).size
  const digest = async (hash: ReturnType<typeof createHash>): Promise<string> => {
    for await (const chunk of createReadStream(part)) hash.update(chunk as Uint8Array)
    return hash.digest('hex')
  }
  const good =
    (size === undefined || size === found) &&
    (sha256 === undefined || (await digest(createHash('sha256'))) === sha256) &&
    (blob === undefined || (await digest(createHash('sha1').update(`blob ${found}\0`))) === blob)
  if (good) return
  rmSync(part, { force: true })
  throw new ImportError('hub', `${file} has another checksum than the hub says.`)
}
