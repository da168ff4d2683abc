/** Whether a veiled LLaVA, run by an ordinary engine, gives the answers of the original in the same engine. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Tokenizer } from '@huggingface/tokenizers'
import { type LlavaConfig, readLlava } from '../../src/model/pictures/llava.ts'
import { patchesOf } from '../../src/model/pictures/patches.ts'
import { patchCount } from '../../src/model/pictures/tower.ts'
import { PredictableRandom } from '../../src/model/random.ts'
import type { Group } from '../../src/protections/veiled/ends.ts'
import { readKits } from '../../src/protections/veiled/node/kits.ts'
import { OwnerEnds } from '../../src/protections/veiled/owner-ends.ts'
import { readCloud } from '../../src/protections/veiled/server/checkpoint.ts'
import type { DecoderEngine, DecoderSession } from '../../src/protections/veiled/server/engine.ts'
import { loadEngine } from '../../src/protections/veiled/server/load.ts'
import { readJson } from '../import/source.ts'
import { VEIL_FILE, veilModel } from '../veil/veil.ts'
import { drawCollage } from './collage.ts'
import { exchange } from './collage-batches.ts'
import { readFashion } from './fashion.ts'
import { ask, questionKinds } from './questions.ts'
import { fashionNormal as normal } from './write-folder.ts'

/** Tokens of an answer at most. */
const MOST = 32

export interface SameAnswers {
  readonly asked: number
  /** Alike token by token, and right word for word. */
  readonly same: number
  readonly right: number
}

/** Asks a question of every kind about each of so many collages of test pictures, of both, veiled with a fresh key. */
export async function sameAnswers(
  model: string,
  data: string,
  group: Group,
  collages: number,
): Promise<SameAnswers> {
  const path = join(model, 'config.json')
  const config = readLlava(readJson(path), path)
  const tokenizer = new Tokenizer(JSON.parse(readFileSync(join(model, 'tokenizer.json'), 'utf8')), {})
  const test = readFashion(data, 'test')
  const dir = mkdtempSync(join(tmpdir(), 'sotto-answers-'))
  const engines: DecoderEngine[] = []
  try {
    const [out, keys, plain] = ['cloud', 'keys', 'plain'].map((name) => join(dir, name))
    const { keyId } = await veilModel({ from: model, out, keys, group, tenant: 'test' })
    // The original, for an engine that wants to be told of a key.
    cpSync(model, plain, { recursive: true })
    writeFileSync(join(plain, VEIL_FILE), readFileSync(join(out, VEIL_FILE)))
    for (const folder of [plain, out])
      engines.push((await loadEngine(readCloud(folder), { threads: 1 })) as DecoderEngine)
    const sessions = await Promise.all(engines.map((engine) => engine.open()))
    const ends = new OwnerEnds(readKits(keys)[keyId].key)
    const counts = { asked: 0, same: 0, right: 0 }
    const random = new PredictableRandom(1)
    const end = exchange(tokenizer, '', '').answered.at(-1)!
    for (let c = 0; c < collages; c++) {
      const { pixels, labels } = drawCollage(test, random, false)
      const patches = patchesOf(pixels, config.tower, normal)
      for (const kind of questionKinds) {
        const { question, answer } = ask(kind, labels, random)
        const { before, answered } = exchange(tokenizer, question, answer)
        const prompt = [0, ...pictureTokens(config), ...before]
        const [own, veiled] = await Promise.all(
          sessions.map((session, i) => written(session, patches, prompt, end, i === 0 ? undefined : ends)),
        )
        counts.asked++
        if (own.join() === veiled.join()) counts.same++
        if (own.join() === answered.join()) counts.right++
      }
    }
    await Promise.all(sessions.map((session) => session.close()))
    return counts
  } finally {
    for (const engine of engines) await engine.close()
    rmSync(dir, { recursive: true })
  }
}

const pictureTokens = ({ tower, pictureToken }: LlavaConfig): number[] =>
  new Array<number>(patchCount(tower)).fill(pictureToken)

const calm = new AbortController().signal

/** What a model writes by itself, in the original's numbers, with the mark that ends it. */
async function written(
  session: DecoderSession,
  patches: readonly Float32Array[],
  prompt: readonly number[],
  end: number,
  ends?: OwnerEnds,
): Promise<number[]> {
  const shown = (ends?.veilPatches(patches) ?? patches).flatMap((patch) => [...patch])
  await session.look!(Float32Array.from(shown), calm)
  const made: number[] = []
  let [read, next] = [0, [...prompt]]
  while (made.length < MOST && made.at(-1) !== end) {
    const { ids } = await session.next(read, Uint32Array.from(ends?.veilIds(next) ?? next), calm)
    read += next.length
    const [likeliest] = ends?.unveilIds([ids[0]]) ?? ids
    made.push(likeliest)
    next = [likeliest]
  }
  return made
}
