/** A veiled model beside the original on one engine, each in a process of its own, and its owner over emulated links. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startVeiledProcess } from '../src/cli/processes.ts'
import { toHfConfig } from '../src/model/architectures/hf-config.ts'
import { type Bundle, loadBundle } from '../src/model/files/bundle-node.ts'
import { encodeSafetensors } from '../src/model/files/safetensors.ts'
import { veilModel } from '../tools/veil/veil.ts'
import { startChild, type Usage } from './child.ts'
import type { Result } from './result.ts'
import type { Reading, TokenTime } from './veil-engine.ts'
import { veiledOwner } from './veil-owner.ts'

/** Tokens of a prompt, and behind it. */
const PROMPT = 32
const REST = 96
/** Tokens over each link. */
const LINKED = 12
/** Round trips, ms: of this machine, of a wire, and of a distant network, as in STIP. */
const ROUND_TRIPS = [0, 10, 250]

/** Overhead of the veil with as many pairs, and seconds a token over links. */
export async function* veilServingCases(model: string, pairs: number): AsyncGenerator<Result> {
  const dir = mkdtempSync(join(tmpdir(), 'sotto-bench-veil-'))
  try {
    const bundle = await loadBundle(model)
    const [original, veiled, keys] = ['original', 'veiled', 'keys'].map((name) => join(dir, name))
    writeOriginal(bundle, original)
    await veilModel({ from: model, out: veiled, keys, group: 'full', tenant: 'bench' })
    yield await paired(original, veiled, bundle.manifest.config.vocab, pairs)
    yield* overLinks(veiled, keys)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

/** Writes a bundle's model without a veil, as the engine takes one. */
function writeOriginal({ manifest: { config }, tensors }: Bundle, dir: string): void {
  mkdirSync(dir)
  const all = new Map(tensors)
  if (config.tied) all.set('lm_head.weight', tensors.get('model.embed_tokens.weight')!)
  const hf = toHfConfig({ ...config, tied: false }, { bos: 0, end: 0 })
  writeFileSync(join(dir, 'config.json'), JSON.stringify(hf))
  writeFileSync(join(dir, 'model.safetensors'), encodeSafetensors(all, 'F16', { format: 'pt' }))
  const nobody = { format: 'sotto-veil/1', keyId: '0'.repeat(32), family: 'llama' }
  writeFileSync(join(dir, 'veil.json'), JSON.stringify(nobody))
}

async function paired(original: string, veiled: string, vocab: number, pairs: number): Promise<Result> {
  const children = [original, original, veiled].map((cloud) => ({
    cloud,
    child: startChild('./veil-engine.ts'),
  }))
  try {
    for (const { child, cloud } of children) await child.call('load', { cloud })
    const ids = Array.from({ length: PROMPT + REST }, (_, i) => (i * 37 + 11) % vocab)
    const reading: Reading = { prompt: ids.slice(0, PROMPT), rest: ids.slice(PROMPT) }
    const times: TokenTime[][] = children.map(() => [])
    for (let round = -1; round < pairs; round++)
      // Whoever comes first changes, so that what the machine does besides meets all alike.
      for (let k = 0; k < children.length; k++) {
        const which = (k + Math.max(0, round)) % children.length
        const time = await children[which].child.call<TokenTime>('read', reading)
        if (round >= 0) times[which].push(time)
      }
    const [own, , peak] = await Promise.all(children.map(({ child }) => child.call<Usage>('usage')))
    const ratios = (of: number) =>
      times[of].map(({ cpuSeconds }, i) => 100 * (cpuSeconds / times[0][i].cpuSeconds - 1))
    const token = (of: number) => ({
      seconds: median(times[of].map(({ seconds }) => seconds)),
      cpuSeconds: median(times[of].map(({ cpuSeconds }) => cpuSeconds)),
    })
    return {
      case: 'veil serving, demo, one thread',
      pairs,
      originalTokenSeconds: token(0).seconds,
      veiledTokenSeconds: token(2).seconds,
      originalTokenProcessorSeconds: token(0).cpuSeconds,
      veiledTokenProcessorSeconds: token(2).cpuSeconds,
      overheadPercent: median(ratios(2)),
      overheadQuartiles: quartiles(ratios(2)),
      controlPercent: median(ratios(1)),
      controlQuartiles: quartiles(ratios(1)),
      originalPeakBytes: own.peakBytes,
      veiledPeakBytes: peak.peakBytes,
    }
  } finally {
    await Promise.all(children.map(({ child }) => child.stop()))
  }
}

async function* overLinks(cloud: string, keyFolder: string): AsyncGenerator<Result> {
  const server = await startVeiledProcess({ clouds: [cloud], logLevel: 'error', keys: keyFolder })
  try {
    const owner = await veiledOwner(server.url, keyFolder)
    for (const rtt of ROUND_TRIPS) {
      const { connection, link } = await owner.open(rtt)
      const ids = Array.from({ length: PROMPT }, (_, i) => i + 5)
      await connection.run(0, { ids })
      const before = { ...link.traffic }
      const started = performance.now()
      for (let i = 0; i < LINKED; i++) await connection.run(PROMPT + i, { ids: [i + 7] })
      const seconds = (performance.now() - started) / 1000 / LINKED
      const { traffic } = link
      yield {
        case: `veil serving, demo, round trip ${rtt} ms`,
        tokenSeconds: seconds,
        upBytesPerToken: (traffic.sentPayloadBytes - before.sentPayloadBytes) / LINKED,
        downBytesPerToken: (traffic.receivedPayloadBytes - before.receivedPayloadBytes) / LINKED,
      }
      await connection.close()
    }
  } finally {
    await server.stop()
  }
}

const sorted = (values: readonly number[]): number[] => [...values].sort((a, b) => a - b)
const at = (values: readonly number[], share: number): number =>
  sorted(values)[Math.round(share * (values.length - 1))]
const median = (values: readonly number[]): number => at(values, 0.5)
const quartiles = (values: readonly number[]): number[] => [at(values, 0.25), at(values, 0.75)]
