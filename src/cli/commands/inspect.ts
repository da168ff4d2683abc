/** `sotto model inspect`. */

import { textReport } from '../../../tools/calibrate/text-report.ts'
import { type Inspection, inspectModel } from '../../../tools/import/inspect.ts'
import { command, type ValuesOf } from '../command.ts'
import { printResult } from '../terminal.ts'

const declared = command('inspect', 'What a model holds, and what stands in the way of serving it privately.')
  .argument('<dir>', "a bundle, or a folder in Hugging Face's format")
  .option('--tensors', 'list every tensor', false)
  .option('--json', 'print one JSON object, tensors and ranges included', false)

export const inspectCommand = declared.action(inspect)

async function inspect(dir: string, values: ValuesOf<typeof declared>): Promise<void> {
  const found = await inspectModel(dir)
  printResult(values.json, found, asText(found, values.tensors))
}

function headOf({ head }: Inspection['config']): string | undefined {
  if (head?.kind === 'tag') return `labels of tokens: ${head.labels.join(', ')}`
  if (head?.kind !== 'classify') return head?.kind
  return `${head.outputs === 'raw' ? 'scores' : 'classifier'} of ${head.labels.join(', ')}`
}

function asText(m: Inspection, all: boolean): string {
  const { config: c } = m
  const millions = (n: number) => `${(n / 1e6).toFixed(2)} million`
  const dtypes = [...new Set(m.tensors.map(({ dtype }) => dtype))].join(', ')
  const head = headOf(c)
  const facts: [string, string | undefined][] = [
    ['form', `${c.arch}, ${c.layers} layers of width ${c.dim}, ${c.heads} heads (${c.kvHeads} of keys)`],
    ['feed-forward', `${c.ff}, ${c.activation}`],
    ['head', head ?? (c.tied ? 'the embedding' : 'of its own')],
    [
      'parameters',
      millions(m.parameters) +
        (m.privateParameters === undefined ? '' : `, of them ${millions(m.privateParameters)} private`),
    ],
    ['tensors', `${m.tensors.length}, ${dtypes}`],
    ['context', String(c.context)],
    [
      'rotary',
      c.ropeScaling
        ? `base ${c.ropeTheta}, ${c.ropeScaling.kind} scaling by ${c.ropeScaling.factor}`
        : undefined,
    ],
    ['tokenizer', m.tokenizer],
    ['hash', m.hash],
    ['calibrated', m.calibrated ? 'yes' : 'no'],
  ]
  const tightest = [...(m.ranges ?? [])].sort((a, b) => a.bits - b.bits).slice(0, 5)
  return [
    `${m.name} (${m.kind})`,
    ...facts
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => `  ${name.padEnd(14)}${value}`),
    ...m.notes.map((note) => `  Note: ${note}`),
    ...(tightest.length > 0 ? ['', 'Least head room:', textReport(tightest)] : []),
    ...(all
      ? ['', ...m.tensors.map((t) => `${t.visibility ?? ''}\t${t.dtype}\t[${t.shape}]\t${t.name}`)]
      : []),
    '',
    ...(m.blockers.length > 0 ? m.blockers : ['It can be served privately.']),
    '',
  ].join('\n')
}
