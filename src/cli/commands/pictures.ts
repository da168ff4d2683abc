/** `sotto model pictures`: small models of pictures, trained on this computer's processor. */
import { join } from 'node:path'
import { Argument } from '@commander-js/extra-typings'
import { FASHION_FOLDER } from '../../../tools/pictures/fashion.ts'
import type { StageProgress } from '../../../tools/pictures/stage.ts'
import { command, type ValuesOf } from '../command.ts'
import { UsageError } from '../errors.ts'
import { printResult } from '../terminal.ts'
import { real, whole } from '../values.ts'

const declared = command('pictures', 'Train a small model of pictures of garments from scratch.')
  .addArgument(
    new Argument(
      '<kind>',
      'vit labels a garment; llava answers questions on four of them; check measures --vit under the veil, and what a cloud could see',
    ).choices(['vit', 'llava', 'check'] as const),
  )
  .option('--data <dir>', "Fashion-MNIST's files, as Debian's dataset-fashion-mnist has them", FASHION_FOLDER)
  .option('--out <dir>', 'checkpoints, from which it goes on, and the model in DIR/model')
  .option('--minutes <n>', 'of processor time; the learning rate ends its cosine there', real(0.01), 12)
  .option(
    '--vit <dir>',
    'the ViT that a llava’s tower begins as; or the model, of either kind, that is measured: it gets reconstruction.json',
  )
  .option('--lr <n>', 'peak learning rate', real(1e-9, 1), 0.002)
  .option('--seed <n>', 'of initial weights and batches', whole(1), 1)
  .option('--threads <n>', 'processor threads', whole(1), 1)
  .option('--json', 'one JSON object per line instead of text', false)

export const picturesCommand = declared.action(trainPictures)

async function trainPictures(
  kind: 'vit' | 'llava' | 'check',
  values: ValuesOf<typeof declared>,
): Promise<void> {
  if (kind === 'check') return check(values)
  const { vit, minutes, lr: peakLearningRate, json, out, ...rest } = values
  if (out === undefined)
    throw new UsageError('Say where the model goes: --out DIR.', 'See sotto model pictures --help.')
  const onProgress = (p: StageProgress): void => {
    const losses = Object.entries(p.losses).map(([name, loss]) => `${name} ${loss.toFixed(3)}`)
    printResult(json, p, `${p.stage}, step ${p.step}: ${losses.join(', ')}; ${p.minutes.toFixed(1)} min\n`)
  }
  const options = { ...rest, out, peakLearningRate, onProgress }
  if (kind === 'llava' && vit === undefined)
    throw new UsageError('A llava begins with a ViT: give --vit DIR.', 'See sotto model pictures --help.')
  // Loaded only when used: it brings a large runtime.
  const { makeFashionLlava, makeFashionVit } = await import('../../../tools/pictures/fashion-models.ts')
  if (vit === undefined || kind === 'vit') {
    const report = await makeFashionVit({ ...options, minutes })
    printResult(json, report, `${percent(report.accuracy)} of the test pictures; ${report.model}\n`)
    return
  }
  const report = await makeFashionLlava({ ...options, vit, minutes })
  const kinds = (shares: object): string =>
    Object.entries(shares)
      .map(([name, share]) => `${name} ${percent(share)}`)
      .join(', ')
  printResult(
    json,
    report,
    `Answers: ${kinds(report.answers)}\nThe same, shown another picture: ${kinds(report.blind)}\n${report.model}\n`,
  )
}

/** Garments that the cloud has been sent, public ones that it knows; labels, and collages, whose answers are compared. */
const COUNTS = { seen: 3000, known: 6000, labels: 1500, collages: 100 }

async function check({ vit, data, json }: ValuesOf<typeof declared>): Promise<void> {
  if (vit === undefined)
    throw new UsageError('Say which model is measured: --vit DIR.', 'See sotto model pictures --help.')
  const { sameLabels } = await import('../../../tools/pictures/veiled-labels.ts')
  const { sameAnswers } = await import('../../../tools/pictures/veiled-answers.ts')
  const { cloudView } = await import('../../../tools/pictures/cloud-view.ts')
  const { readJson } = await import('../../../tools/import/source.ts')
  const isOfQuestions = readJson(join(vit, 'config.json')).model_type === 'llava'
  for (const group of ['bits', 'full'] as const) {
    const found = isOfQuestions
      ? await sameAnswers(vit, data, group, COUNTS.collages)
      : { asked: COUNTS.labels, same: await sameLabels(vit, data, group, COUNTS.labels) }
    const right = 'right' in found ? `, ${found.right} of the original’s right` : ''
    const what = isOfQuestions ? 'answers' : 'labels'
    printResult(
      json,
      { group, ...found },
      `${group}: ${found.same} of ${found.asked} ${what} alike${right}\n`,
    )
  }
  const view = cloudView({ model: vit, data, group: 'bits', ...COUNTS })
  printResult(
    json,
    view,
    `A cloud with ${COUNTS.known} public pictures and ${COUNTS.seen} veiled ones: correlation ${view.correlation.toFixed(3)}, ` +
      `${percent(view.places)} of the places (a lower bound)\n`,
  )
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`
