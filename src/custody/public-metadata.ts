/**
 * All that may be public of a split model: what its manifest holds, path by path. Ranges, and with them all rings and
 * scales, were measured with the private weights; nothing else here depends on them. docs/threat-model.md has the same
 * list, and a model with anything else in its manifest is not split.
 */
export const PUBLIC_METADATA: readonly string[] = [
  ...['format', 'name', 'description', 'license', 'source'],
  ...['arch', 'vocab', 'dim', 'layers', 'heads', 'kvHeads', 'ff', 'eps', 'context'].map((k) => `config.${k}`),
  ...['ropeTheta', 'activation', 'tied', 'types', 'positionOffset', 'softcap', 'softmaxCap'].map(
    (k) => `config.${k}`,
  ),
  ...['kind', 'factor', 'original', 'low', 'high'].map((k) => `config.ropeScaling.${k}`),
  ...['kind', 'labels[]', 'pairs'].map((k) => `config.head.${k}`),
  ...['rank', 'alpha', 'targets[]'].map((k) => `config.lora.${k}`),
  ...['name', 'shape[]', 'dtype', 'visibility'].map((k) => `tensors[].${k}`),
  // Of public tensors only.
  'tensors[].sha256',
  'files.*.bytes',
  'files.*.sha256',
  ...['template', 'bos', 'bos[]', 'user', 'user[]', 'assistant', 'assistant[]', 'end', 'end[]', 'stop[]'].map(
    (k) => `chat.${k}`,
  ),
  ...['bos', 'stop[]'].map((k) => `text.${k}`),
  ...['bos[]', 'user[]', 'assistant[]', 'end[]'].map((k) => `chat.${k}`),
  ...['bos', 'stop[]'].map((k) => `text.${k}`),
  'custody.kind',
  'custody.id',
  ...['x', 'normal1', 'v', 'raw', 'rawResidual', 'gate', 'up'].map(
    (k) => `profile.fixed.ranges.layers[].${k}`,
  ),
  ...['meanSquare1[]', 'meanSquare2[]', 'score[]'].map((k) => `profile.fixed.ranges.layers[].${k}`),
  ...['x', 'meanSquare[]', 'normal', 'logits'].map((k) => `profile.fixed.ranges.final.${k}`),
  ...['input', 'x', 'meanSquare[]', 'normal'].map((k) => `profile.fixed.ranges.pool.${k}`),
]

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
