import type { Profile } from '../profiles/profile.ts'
import { profiles } from '../profiles/registry.ts'

type Fields = Readonly<Record<string, readonly string[]>>

/** What every manifest may have, whatever its profile: nothing here depends on private weights. */
const COMMON_FIELDS: Fields = {
  '': ['format', 'name', 'description', 'license', 'source'],
  config: [
    ...['arch', 'vocab', 'dim', 'layers', 'heads', 'kvHeads', 'ff', 'eps', 'context', 'ropeTheta'],
    ...['activation', 'tied', 'types', 'positionOffset', 'softcap', 'softmaxCap'],
    ...['headDim', 'embedding', 'rotaryDim', 'scoreDim', 'logitCap'],
  ],
  'config.ropeScaling': [
    ...['kind', 'factor', 'original', 'low', 'high'],
    ...['fast', 'slow', 'truncate', 'attention', 'short[]', 'long[]'],
  ],
  'config.localRotary': ['theta', 'layers[]', 'window'],
  'config.head': ['kind', 'labels[]', 'pairs', 'outputs', 'pooling'],
  'config.lora': ['rank', 'alpha', 'targets[]'],
  // Hashes are of public tensors only.
  'tensors[]': ['name', 'shape[]', 'dtype', 'visibility', 'base', 'sha256'],
  'files.*': ['bytes', 'sha256'],
  chat: [
    'template',
    'bos',
    'bos[]',
    'user',
    'user[]',
    'assistant',
    'assistant[]',
    'end',
    'end[]',
    'stop[]',
    'tokens.*',
  ],
  text: ['bos', 'stop[]'],
  pooling: ['kind', 'normalize', 'prompt'],
  custody: ['kind', 'id'],
}

/** What a profile's entry may have: it may have been measured with the private weights. */
const fieldsOf = ({ id, publicFields }: Profile): Fields =>
  Object.fromEntries(
    Object.entries(publicFields).map(([at, fields]) => [
      at === '' ? `profile.${id}` : `profile.${id}.${at}`,
      fields,
    ]),
  )

/**
 * All that may be public of a split model: the fields of its manifest, by where they are. docs/threat-model.md has the
 * same table, and a model with anything else in its manifest is not split.
 */
export const PUBLIC_FIELDS: Fields = Object.assign({}, COMMON_FIELDS, ...profiles.map(fieldsOf))

/** `PUBLIC_FIELDS`, path by path. */
export const PUBLIC_METADATA: readonly string[] = Object.entries(PUBLIC_FIELDS).flatMap(([at, fields]) =>
  fields.map((field) => (at === '' ? field : `${at}.${field}`)),
)

/** Every path of a JSON value, elements of arrays as `[]`, files by `*`. */
export function pathsOf(value: unknown, path = ''): string[] {
  if (value === undefined) return []
  if (Array.isArray(value)) return [...new Set(value.flatMap((item) => pathsOf(item, `${path}[]`)))]
  if (typeof value !== 'object' || value === null) return [path]
  return [
    ...new Set(
      Object.entries(value).flatMap(([key, item]) =>
        pathsOf(item, path === '' ? key : `${path}.${path === 'files' ? '*' : key}`),
      ),
    ),
  ]
}

/** Paths of a manifest that are not on the list. */
export const unlisted = (manifest: unknown): string[] =>
  pathsOf(manifest).filter((path) => !PUBLIC_METADATA.includes(path))
