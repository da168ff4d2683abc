/** Labels of classifiers: their names are for owners only. */
import type { HfConfig, HfReader } from '../../../src/model/architectures/hf-reader.ts'

/** Names in the order of the outputs. */
export function labelsOf(reader: HfReader): string[] {
  const map = reader.json.id2label
  if (typeof map !== 'object' || map === null)
    return Array.from({ length: reader.size('num_labels', 2, 1 << 16) }, (_, i) => `LABEL_${i}`)
  return Object.keys(map).map((_, i) => {
    const label: unknown = (map as HfConfig)[i]
    return typeof label === 'string' ? label : reader.complain(`"id2label" has no label for ${i}.`)
  })
}

/** The configuration with numbers in place of labels. */
export function unnamedLabels(config: HfConfig): HfConfig {
  if (typeof config.id2label !== 'object' || config.id2label === null) return config
  const names = Object.keys(config.id2label).map((_, i) => `LABEL_${i}`)
  return {
    ...config,
    id2label: Object.fromEntries(names.map((name, i) => [i, name])),
    label2id: Object.fromEntries(names.map((name, i) => [name, i])),
  }
}
