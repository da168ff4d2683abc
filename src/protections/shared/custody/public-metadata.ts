/**
 * All that may be public of a split model: the fields of its manifest, by where they are. Ranges, and with them all rings
 * and scales, were measured with the private weights; nothing else here depends on them. docs/threat-model.md has the
 * same table, and a model with anything else in its manifest is not split.
 */
export const PUBLIC_FIELDS: Readonly<Record<string, readonly string[]>> = {
  '': ['format', 'name', 'description', 'license', 'source'],
  config: [
    ...['arch', 'vocab', 'dim', 'layers', 'heads', 'kvHeads', 'ff', 'eps', 'context', 'ropeTheta'],
    ...['activation', 'tied', 'types', 'positionOffset', 'softcap', 'softmaxCap'],
  ],
  'config.ropeScaling': ['kind', 'factor', 'original', 'low', 'high'],
  'config.head': ['kind', 'labels[]', 'pairs'],
  'config.lora': ['rank', 'alpha', 'targets[]'],
  // Hashes are of public tensors only.
  'tensors[]': ['name', 'shape[]', 'dtype', 'visibility', 'base', 'sha256'],
  'files.*': ['bytes', 'sha256'],
  chat: ['template', 'bos', 'bos[]', 'user', 'user[]', 'assistant', 'assistant[]', 'end', 'end[]', 'stop[]'],
  text: ['bos', 'stop[]'],
  custody: ['kind', 'id'],
  'profile.fixed.ranges.layers[]': [
    ...[
      'x',
      'meanSquare1[]',
      'meanSquare2[]',
      'normal1',
      'v',
      'score[]',
      'peak',
      'raw',
      'rawResidual',
      'gate',
      'up',
    ],
  ],
  'profile.fixed.ranges.final': ['x', 'meanSquare[]', 'normal', 'logits'],
  'profile.fixed.ranges.pool': ['input', 'x', 'meanSquare[]', 'normal'],
}

/** The same, path by path. */
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
