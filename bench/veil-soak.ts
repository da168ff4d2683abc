/** Owners of a veiled model who come and go for a long time: errors, percentiles of what they wait for, and the server's memory. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { startVeiledProcess } from '../src/cli/processes.ts'
import { PredictableRandom } from '../src/model/random.ts'
import { Cancelled } from '../src/protections/protection.ts'
import { veilModel } from '../tools/veil/veil.ts'
import type { Result } from './result.ts'
import { type VeiledOwner, veiledOwner } from './veil-owner.ts'

export interface SoakOptions {
  readonly model: string
  readonly minutes: number
  /** At once. */
  readonly owners: number
}

/** What everybody asks first: the answer must stay what it was. */
const PROBE = 24
/** Tokens of prompts and replies, from and to. */
const PROMPT = [8, 160] as const
const REPLY = [4, 48] as const
/** One in so many prompts is given up. */
const CANCELLED = 10
/** Longest time between two sessions of an owner, ms. */
const THINKING_MS = 1000
/** How often the server's memory is looked at. */
const LOOK_MS = 5000

/** What has been measured so far. */
class Measured {
  readonly opening: number[] = []
  readonly prompt: number[] = []
  readonly token: number[] = []
  readonly errors = new Map<string, number>()
  cancelled = 0
  wrong = 0
  sessions = 0

  fail(error: unknown): void {
    const { code, message } = error as { code?: string; message?: string }
    const name = code ?? message ?? String(error)
    this.errors.set(name, (this.errors.get(name) ?? 0) + 1)
  }
}

/** Serves the model in a process of its own, and keeps its owners busy. */
export async function soakCase({ model, minutes, owners }: SoakOptions): Promise<Result> {
  const dir = mkdtempSync(join(tmpdir(), 'sotto-bench-soak-'))
  const [cloud, keys] = [join(dir, 'soaked'), join(dir, 'keys')]
  try {
    await veilModel({ from: model, out: cloud, keys, group: 'full', tenant: 'bench' })
    const server = await startVeiledProcess({ clouds: [cloud], logLevel: 'error', keys })
    try {
      const owner = await veiledOwner(server.url, keys)
      const measured = new Measured()
      const until = performance.now() + 60_000 * minutes
      const sizes: number[] = []
      const looking = setInterval(() => sizes.push(residentBytes(server.pid)), LOOK_MS)
      await Promise.all(Array.from({ length: owners }, (_, i) => live(owner, measured, until, i + 1)))
      clearInterval(looking)
      sizes.push(residentBytes(server.pid))
      return result(measured, { minutes, owners }, sizes)
    } finally {
      await server.stop()
    }
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

/** One owner's sessions, one after another. */
async function live(owner: VeiledOwner, measured: Measured, until: number, seed: number): Promise<void> {
  const random = new PredictableRandom(seed)
  let likeliest: number | undefined
  while (performance.now() < until) {
    measured.sessions++
    try {
      const answer = await session(owner, measured, random)
      likeliest ??= answer
      if (answer !== likeliest) measured.wrong++
    } catch (error) {
      measured.fail(error)
    }
    await pause(random.below(THINKING_MS))
  }
}

/** Resolves with what was answered to the probe. */
async function session(owner: VeiledOwner, measured: Measured, random: PredictableRandom): Promise<number> {
  const started = performance.now()
  const { connection } = await owner.open(0)
  measured.opening.push(since(started))
  try {
    const probed = await connection.run(0, { ids: Array.from({ length: PROBE }, (_, i) => 3 * i + 5) })
    const likeliest = probed.indexOf(Math.max(...probed))
    const vocab = probed.length
    const prompt = Array.from({ length: between(random, PROMPT) }, () => random.below(vocab))
    const asked = performance.now()
    const isGivenUp = random.below(CANCELLED) === 0
    const stop = new AbortController()
    const answer = connection.run(0, { ids: prompt }, { signal: stop.signal })
    if (isGivenUp) stop.abort()
    const isCancelled = await answer.then(
      () => false,
      (error: unknown) => {
        if (error instanceof Cancelled) return true
        throw error
      },
    )
    if (isCancelled) measured.cancelled++
    else measured.prompt.push(since(asked))
    const read = isCancelled ? 0 : prompt.length
    for (let i = 0, most = between(random, REPLY); i < most; i++) {
      const before = performance.now()
      await connection.run(read + i, { ids: [random.below(vocab)] })
      measured.token.push(since(before))
    }
    return likeliest
  } finally {
    await connection.close()
  }
}

function result(m: Measured, { minutes, owners }: Omit<SoakOptions, 'model'>, sizes: number[]): Result {
  const tokens = m.token.length
  return {
    case: 'veil soak, demo',
    ...{ minutes, owners, sessions: m.sessions, tokens, cancelled: m.cancelled },
    wrongAnswers: m.wrong,
    failedSessions: [...m.errors.values()].reduce((a, b) => a + b, 0),
    failures: [...m.errors].map(([name, count]) => `${count}: ${name}`).join(' ') || 'none',
    ...percentiles('opening', m.opening, [50, 99]),
    ...percentiles('prompt', m.prompt, [50, 99]),
    ...percentiles('token', m.token, [50, 95, 99, 99.9]),
    tokensPerSecond: tokens / (60 * minutes),
    // The first ones are those of a process that still grows into its work.
    serverAfterTenthBytes: sizes[Math.floor(sizes.length / 10)],
    serverAtEndBytes: sizes.at(-1),
    serverPeakBytes: Math.max(...sizes),
  }
}

const since = (ms: number): number => (performance.now() - ms) / 1000
const between = (random: PredictableRandom, [from, to]: readonly [number, number]): number =>
  from + random.below(to - from + 1)

function percentiles(
  name: string,
  values: readonly number[],
  shares: readonly number[],
): Record<string, number> {
  if (values.length === 0) return {}
  const sorted = Float64Array.from(values).sort()
  const entries = shares.map((share): [string, number] => [
    `${name}P${String(share).replace('.', '_')}Seconds`,
    sorted[Math.min(sorted.length - 1, Math.floor((share / 100) * sorted.length))],
  ])
  return { ...Object.fromEntries(entries), [`${name}WorstSeconds`]: sorted[sorted.length - 1] }
}

/** Resident set of a process, where the system says; 0 elsewhere. */
function residentBytes(pid: number): number {
  try {
    return 1024 * Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0)
  } catch {
    return 0
  }
}
