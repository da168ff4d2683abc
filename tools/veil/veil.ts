/** Veils a checkpoint: the same architecture with the same answers, in bases that only key files know. */
import { copyFileSync, existsSync, writeFileSync } from 'node:fs'
import { isAbsolute, join, relative, resolve } from 'node:path'
import { type HfConfig, HfReader } from '../../src/model/architectures/hf-reader.ts'
import { ATTACKS_FILE, parseAttacks, READABLE_FILE, readerOf } from '../../src/protections/veiled/attacks.ts'
import type { Group } from '../../src/protections/veiled/ends.ts'
import { PICTURES_FILE, readKits, TEXTS_FILE } from '../../src/protections/veiled/node/kits.ts'
import { writeSecret } from '../../src/protections/veiled/node/secret-file.ts'
import { OwnerEnds } from '../../src/protections/veiled/owner-ends.ts'
import { CheckpointFolder } from '../import/checkpoint-folder.ts'
import { readJson } from '../import/source.ts'
import { staged } from '../import/staging.ts'
import {
  addDeveloperKey,
  type DeveloperKey,
  findDeveloperKey,
  kitFileOf,
  newDeveloperKey,
  ownerFileOf,
  seedOf,
} from './developer-keys.ts'
import { VeilError } from './error.ts'
import type { Tally } from './exact-words.ts'
import { familyOf } from './families/registry.ts'
import { ggufFacts, writeGguf } from './gguf/write-gguf.ts'
import { VeilKeys } from './keys.ts'
import { writePictures } from './pictures.ts'
import { planTensors } from './plan.ts'
import type { Described } from './tensor-spec.ts'
import { writeTexts } from './texts.ts'
import { withVeiledIds } from './token-ids.ts'
import { storedIn, writeTensors } from './write-tensors.ts'

/** Beside the veiled checkpoint: which key it takes. Public. */
export const VEIL_FILE = 'veil.json'

export interface VeilOptions {
  /** Folder in Hugging Face's format, or a whole bundle. */
  readonly from: string
  /** New folder for the cloud. */
  readonly out: string
  /** Folder of key files, which never goes to the cloud. */
  readonly keys: string
  readonly group: Group
  /** Whom the key is for. */
  readonly tenant: string
  /** The beginning of the id of a key that there is; a new one if not given. */
  readonly key?: string
  /** Whether owners get the stream's basis, for engines that take embedded rows. */
  readonly withRows?: boolean
  /** Whether the cloud gets a GGUF file as well. */
  readonly gguf?: boolean
  /** What the cloud's folder says to whoever lists it. */
  readonly about?: Readonly<Partial<Record<'title' | 'description' | 'licence', string>>>
  readonly onProgress?: (done: number, total: number) => void
}

export interface VeilReport {
  readonly family: string
  readonly group: Group
  readonly keyId: string
  readonly tensors: number
  readonly bytes: number
  /** Of the GGUF file, where one was asked for. */
  readonly ggufBytes?: number
  /** Values that lost bits, being subnormal or having become so; of group `bits`, the only ones. */
  readonly rounded: number
  readonly isUntied: boolean
  /** For the data owners of this tenant. */
  readonly ownerKey: string
  /** The key with the tokenizer, for a page, of models that say how they read texts or pictures. */
  readonly kit?: string
  /** Wall and processor time of the rewriting. */
  readonly seconds: number
  readonly cpuSeconds: number
}

/**
 * Writes the cloud's folder and the key files; nothing is left behind if it fails. Throws {@link VeilError}, `ImportError`
 * for a checkpoint that can't be read, or `KeyFileError`.
 */
export async function veilModel(o: VeilOptions): Promise<VeilReport> {
  const config = readJson(join(o.from, 'config.json'))
  const family = familyOf(config)
  refuseKeysInCloud(o)
  // Before anything is written.
  if (o.gguf) ggufFacts(config, join(o.from, 'config.json'))
  const key: DeveloperKey = o.key
    ? findDeveloperKey(o.keys, o.key)
    : newDeveloperKey({ tenant: o.tenant, group: o.group, family: family.name })
  if (key.group !== o.group || key.family !== family.name)
    throw new VeilError('keys', `Key ${key.keyId.slice(0, 8)} is of group ${key.group}, for ${key.family}.`)
  const keys = new VeilKeys(seedOf(key), key.group)
  const folder = new CheckpointFolder(o.from)
  try {
    const described = family.describe(new HfReader(config, join(o.from, 'config.json')), (name) =>
      folder.tensors.has(name),
    )
    const stored = storedIn(folder)
    const planned = planTensors(described, stored, keys, tieOf(config) ?? family.tiesByDefault)
    const isUntied = planned.some(({ spec, source }) => spec.tied === source)
    const tally: Tally = { rounded: 0, lost: 0 }
    const ownerKey = keys.ownerKey(key, described, o.withRows ?? false)
    const written = await staged(o.out, async (dir) => {
      const rewritten = await timed(() =>
        writeTensors(dir, folder, planned, keys, stored, tally, o.onProgress),
      )
      writeConfigs(o.from, dir, family.rewrite?.(config, isUntied) ?? config, isUntied, (part) =>
        veiledConfig(part, described, new OwnerEnds(ownerKey)),
      )
      writeJson(join(dir, VEIL_FILE), {
        format: 'sotto-veil/1',
        keyId: key.keyId,
        family: family.name,
        ...o.about,
      })
      copyMeasured(o, dir)
      const ggufBytes = o.gguf ? { ggufBytes: await writeGguf(dir) } : {}
      // Keys first: a cloud folder without its keys is of no use to anybody.
      if (!o.key) addDeveloperKey(o.keys, key)
      writeSecret(ownerFileOf(o.keys, key), ownerKey)
      writeTexts(o.from, join(o.keys, 'tokenizer'), config)
      writePictures(o.from, join(o.keys, 'tokenizer'), config)
      return { ...rewritten, ...ggufBytes, ...writeKit(o.keys, key) }
    })
    return {
      family: family.name,
      group: key.group,
      keyId: key.keyId,
      tensors: planned.length,
      ...written,
      rounded: tally.rounded,
      isUntied,
      ownerKey: ownerFileOf(o.keys, key),
    }
  } finally {
    folder.close()
  }
}

/** The cloud's folder is copied as it is. */
function refuseKeysInCloud({ out, keys }: VeilOptions): void {
  const within = relative(resolve(out), resolve(keys))
  if (within === '' || !(within.startsWith('..') || isAbsolute(within)))
    throw new VeilError('keys', `${keys} is inside ${out}, which the cloud gets. Put the keys elsewhere.`)
}

/** What attacks have read of the model: the figures are public, which tokens they are is for owners alone. */
function copyMeasured({ from, keys }: VeilOptions, cloud: string): void {
  const [attacks, readable] = [ATTACKS_FILE, READABLE_FILE].map((file) => join(from, file))
  if (existsSync(attacks)) {
    if (!parseAttacks(readJson(attacks)))
      throw new VeilError(
        'unsupported',
        `${attacks} is no summary of attacks. Measure again: sotto attack --as cloud.`,
      )
    copyFileSync(attacks, join(cloud, ATTACKS_FILE))
  }
  if (!existsSync(readable)) return
  readerOf(readJson(readable))
  writeSecret(join(keys, READABLE_FILE), readJson(readable))
}

/** Nothing where the folder says neither how texts nor how pictures are read. */
function writeKit(dir: string, key: DeveloperKey): { kit?: string } {
  const has = (file: string): boolean => existsSync(join(dir, 'tokenizer', file))
  if (!has(PICTURES_FILE) && !(has(TEXTS_FILE) && has('tokenizer.json'))) return {}
  const kit = kitFileOf(dir, key)
  writeSecret(kit, readKits(ownerFileOf(dir, key))[key.keyId])
  return { kit }
}

async function timed(write: () => Promise<number>) {
  const before = process.cpuUsage()
  const started = performance.now()
  const bytes = await write()
  const { user, system } = process.cpuUsage(before)
  return { bytes, seconds: (performance.now() - started) / 1000, cpuSeconds: (user + system) / 1e6 }
}

function writeConfigs(
  from: string,
  dir: string,
  config: HfConfig,
  isUntied: boolean,
  veiled: (config: HfConfig) => HfConfig,
): void {
  const untied = isUntied ? { ...config, tie_word_embeddings: false } : config
  writeJson(join(dir, 'config.json'), veiled(untied))
  const generation = join(from, 'generation_config.json')
  if (existsSync(generation)) writeJson(join(dir, 'generation_config.json'), veiled(readJson(generation)))
}

/** Whether the head is the embedding, as far as a configuration says so. */
function tieOf(config: HfConfig): boolean | undefined {
  const parts = [config, config.text_config as HfConfig | undefined]
  for (const part of parts)
    if (typeof part?.tie_word_embeddings === 'boolean') return part.tie_word_embeddings
  return undefined
}

function veiledConfig(config: HfConfig, { ends }: Described, owner: OwnerEnds): HfConfig {
  if (!ends.tokens) return withVeiledIds(config, 0, (id) => id)
  return withVeiledIds(config, ends.tokens.size, (id) => owner.veilIds([id])[0])
}

const writeJson = (path: string, value: object): void =>
  writeFileSync(path, `${JSON.stringify(value, null, 1)}\n`)
