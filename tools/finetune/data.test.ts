import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, it } from 'vitest'
import { DataError, labelNumbers, labelsOf, readExamples } from './data.ts'
import { readGlue } from './glue.ts'
import { sameLabelPairs, splitByLabel } from './pairs.ts'

const dir = mkdtempSync(join(tmpdir(), 'sotto-data-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

function file(name: string, text: string): string {
  const path = join(dir, name)
  writeFileSync(path, name.endsWith('.gz') ? gzipSync(text) : text)
  return path
}

describe('labelled JSON lines', () => {
  it('are read with numbers or texts as labels, alone or in pairs, gzipped or not', () => {
    const plain = file('a.jsonl', '{"text":"good","label":1}\n\n{"text":"bad","label":0}\n')
    expect(readExamples(plain)).toEqual([
      { text: 'good', label: '1' },
      { text: 'bad', label: '0' },
    ])
    const packed = file('b.jsonl.gz', '{"text":"a","pair":"b","label":"same"}\n')
    expect(readExamples(packed)).toEqual([{ text: 'a', pair: 'b', label: 'same' }])
  })

  it.each([
    ['{"text":"a"}', 'line 2: "label"'],
    ['{"label":1}', 'line 2: "text"'],
    ['{"text":"a","label":1,"pair":3}', 'line 2: "pair"'],
    ['nonsense', 'line 2: not JSON'],
  ])('%s names its line', (line, message) => {
    const path = file('c.jsonl', `{"text":"a","label":0}\n${line}\n`)
    expect(() => readExamples(path)).toThrow(DataError)
    expect(() => readExamples(path)).toThrow(message)
  })

  it('have their labels in order: numbers by size, texts by the alphabet', () => {
    const of = (...labels: string[]) => labelsOf(labels.map((label) => ({ text: '', label })))
    expect(of('10', '9', '10', '0')).toEqual(['0', '9', '10'])
    expect(of('b', 'a', '1')).toEqual(['1', 'a', 'b'])
    expect(() => of('x', 'x')).toThrow('nothing to tell apart')
    const examples = [{ text: '', label: 'b' }]
    expect(labelNumbers(examples, ['a', 'b'], 'dev.jsonl')).toEqual([1])
    expect(() => labelNumbers(examples, ['a', 'c'], 'dev.jsonl')).toThrow('no label "b"')
    const numbered = [{ text: '', label: '1' }]
    expect(labelNumbers(numbered, ['negative', 'positive'], 'dev.jsonl')).toEqual([1])
    expect(labelNumbers(numbered, ['1', '2'], 'dev.jsonl')).toEqual([0])
    expect(() => labelNumbers(numbered, ['negative'], 'dev.jsonl')).toThrow('no label "1"')
  })
})

describe('GLUE files', () => {
  it('SST-2: a sentence and a label, quotation marks as they are', () => {
    const path = file('sst.tsv', 'sentence\tlabel\nhide new secretions \t0\n"a " gem \t1\n')
    expect(readGlue(path, 'SST-2')).toEqual([
      { text: 'hide new secretions ', label: '0' },
      { text: '"a " gem ', label: '1' },
    ])
  })

  it('QNLI: question, then sentence', () => {
    const path = file(
      'qnli.tsv',
      'index\tquestion\tsentence\tlabel\n0\tWhen did it begin?\tIt began in 1912.\tentailment\n',
    )
    expect(readGlue(path, 'qnli')).toEqual([
      { text: 'When did it begin?', pair: 'It began in 1912.', label: 'entailment' },
    ])
  })

  it('QQP: the lines that its own file cuts short are skipped', () => {
    const header = 'id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate'
    const path = file('qqp.tsv', `${header}\n1\t2\t3\tHow old?\tWhat age?\t1\n4\t5\t6\tWhy\n`)
    expect(readGlue(path, 'qqp')).toEqual([{ text: 'How old?', pair: 'What age?', label: '1' }])
  })

  it('MNLI: sentences and gold label among twelve columns', () => {
    const header =
      'index\tpromptID\tpairID\tgenre\tsentence1_binary_parse\tsentence2_binary_parse\tsentence1_parse\tsentence2_parse\tsentence1\tsentence2\tlabel1\tgold_label'
    const path = file(
      'mnli.tsv',
      `${header}\n0\t31\t31n\tgov\t( a )\t( b )\t(ROOT)\t(ROOT)\tIt rains.\tIt is wet.\tneutral\tentailment\n`,
    )
    expect(readGlue(path, 'mnli')).toEqual([{ text: 'It rains.', pair: 'It is wet.', label: 'entailment' }])
  })

  it('without labels, or of another task, are refused by name', () => {
    const path = file('test.tsv', 'index\tsentence\n0\tuneasy mishmash\n')
    expect(() => readGlue(path, 'sst-2')).toThrow('no column "label"')
    expect(() => readGlue(path, 'stsb')).toThrow('mnli')
    const short = file('short.tsv', 'sentence\tlabel\nonly text\n')
    expect(() => readGlue(short, 'sst-2')).toThrow('line 2: 1 columns instead of 2')
  })
})

describe('pairs made from labelled texts', () => {
  const examples = Array.from({ length: 30 }, (_, i) => ({ text: `t${i}`, label: `l${i % 3}` }))

  it('are half same and half different, and truly so', () => {
    const pairs = sameLabelPairs(examples, 2, 1)
    expect(pairs).toHaveLength(120)
    const labelOf = new Map(examples.map(({ text, label }) => [text, label]))
    for (const { text, pair, label } of pairs) {
      expect(pair).not.toBe(text)
      expect(labelOf.get(text) === labelOf.get(pair!) ? 'same' : 'different').toBe(label)
    }
    expect(pairs.filter(({ label }) => label === 'same')).toHaveLength(60)
    expect(sameLabelPairs(examples, 2, 1)).toEqual(pairs)
  })

  it('need two labels', () => {
    expect(() => sameLabelPairs([{ text: 'a', label: 'x' }], 1, 1)).toThrow('two labels')
  })

  it('come from parts that share no text, each label in its share', () => {
    const { train, dev } = splitByLabel(examples, 0.2, 7)
    expect(train).toHaveLength(24)
    expect(dev).toHaveLength(6)
    expect(new Set([...train, ...dev].map(({ text }) => text)).size).toBe(30)
    for (const label of ['l0', 'l1', 'l2']) expect(dev.filter((e) => e.label === label)).toHaveLength(2)
  })
})
