import { basename } from 'node:path'
import { readLines } from '../pretrain/texts.ts'
import { DataError, type Example } from './data.ts'

/** Columns of a GLUE task's TSV files, by the names in their first line. */
interface Columns {
  text: string
  pair?: string
  label: string
}

/** The tasks of GLUE (Wang et al., 2019) whose files can be read. */
export const glueTasks: Record<string, Columns> = {
  'sst-2': { text: 'sentence', label: 'label' },
  qnli: { text: 'question', pair: 'sentence', label: 'label' },
  qqp: { text: 'question1', pair: 'question2', label: 'is_duplicate' },
  mnli: { text: 'sentence1', pair: 'sentence2', label: 'gold_label' },
}

/**
 * A GLUE TSV file with labels (`train.tsv`, `dev.tsv`, MNLI's `dev_matched.tsv`), gzipped if its name ends in `.gz`. GLUE
 * quotes nothing: a quotation mark is part of the text. QQP's own files have a few lines that are cut short; those are
 * skipped, and other tasks' are errors. Throws {@link DataError} naming the line.
 */
export function readGlue(path: string, task: string): Example[] {
  const columns = glueTasks[task.toLowerCase()]
  if (!columns)
    throw new DataError(`GLUE task "${task}" is not known. Use one of ${Object.keys(glueTasks).join(', ')}.`)
  const [header, ...lines] = readLines(path)
  if (!header) throw new DataError(`${basename(path)} is empty.`)
  const names = header.text.split('\t')
  const at = (name: string): number => {
    const index = names.indexOf(name)
    if (index < 0)
      throw new DataError(`${basename(path)} has no column "${name}": is it ${task}'s file, with labels?`)
    return index
  }
  const text = at(columns.text)
  const pair = columns.pair === undefined ? undefined : at(columns.pair)
  const label = at(columns.label)
  return lines.flatMap(({ line, text: row }): Example[] => {
    const cells = row.split('\t')
    if (cells.length !== names.length) {
      if (task.toLowerCase() === 'qqp') return []
      throw new DataError(
        `${basename(path)}, line ${line}: ${cells.length} columns instead of ${names.length}.`,
      )
    }
    return [{ text: cells[text], ...(pair !== undefined && { pair: cells[pair] }), label: cells[label] }]
  })
}
