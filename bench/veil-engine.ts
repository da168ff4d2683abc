/** A child process: an engine with one model, and how long its tokens take. */
import { readCloud } from '../src/protections/veiled/server/checkpoint.ts'
import type { DecoderEngine } from '../src/protections/veiled/server/engine.ts'
import { loadEngine } from '../src/protections/veiled/server/load.ts'
import { serve, usage } from './child.ts'

/** A text that is read at once, and tokens that are read behind it one by one. */
export interface Reading {
  readonly prompt: readonly number[]
  readonly rest: readonly number[]
}

/** For each token behind the prompt: on the clock, and of the processor, which what else runs beside it hardly changes. */
export interface TokenTime {
  readonly seconds: number
  readonly cpuSeconds: number
}

let engine: DecoderEngine | undefined
const calm = new AbortController().signal

serve({
  async load({ cloud }: { cloud: string }) {
    engine = (await loadEngine(readCloud(cloud), { threads: 1 })) as DecoderEngine
  },
  async read({ prompt, rest }: Reading): Promise<TokenTime> {
    const session = await engine!.open()
    await session.next(0, Uint32Array.from(prompt), calm)
    const [started, before] = [performance.now(), process.cpuUsage()]
    for (const [i, id] of rest.entries()) await session.next(prompt.length + i, Uint32Array.of(id), calm)
    const { user, system } = process.cpuUsage(before)
    const seconds = (performance.now() - started) / 1000 / rest.length
    await session.close()
    return { seconds, cpuSeconds: (user + system) / 1e6 / rest.length }
  },
  usage,
})
