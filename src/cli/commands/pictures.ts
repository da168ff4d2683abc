/** `sotto model pictures`: small models of pictures, trained on this computer's processor. */
import { Argument } from '@commander-js/extra-typings'
import { FASHION_FOLDER } from '../../../tools/pictures/fashion.ts'
import type { StageProgress } from '../../../tools/pictures/stage.ts'
import { command, type ValuesOf } from '../command.ts'
import { UsageError } from '../errors.ts'
import { printResult } from '../terminal.ts'
import { real, whole } from '../values.ts'

const declared = command('pictures', 'Train a small model of pictures of garments from scratch.')
  .addArgument(
    new Argument('<kind>', 'vit labels a garment; llava answers questions on four of them').choices([
      'vit',
      'llava',
    ] as const),
  )
  .option('--data <dir>', "Fashion-MNIST's files, as Debian's dataset-fashion-mnist has them", FASHION_FOLDER)
  .requiredOption('--out <dir>', 'checkpoints, from which it goes on, and the model in DIR/model')
  .option('--minutes <n>', 'of processor time; the learning rate ends its cosine there', real(0.01), 12)
  .option('--vit <dir>', 'llava: the ViT that its tower begins as')
  .option('--lr <n>', 'peak learning rate', real(1e-9, 1), 0.002)
  .option('--seed <n>', 'of initial weights and batches', whole(1), 1)
  .option('--threads <n>', 'processor threads', whole(1), 1)
  .option('--json', 'one JSON object per line instead of text', false)

export const picturesCommand = declared.action(trainPictures)

/** Of the whole, for the tower alone. */
const SEEING = 0.15

async function trainPictures(kind: 'vit' | 'llava', values: ValuesOf<typeof declared>): Promise<void> {
  const { vit, minutes, lr: peakLearningRate, json, ...rest } = values
  const onProgress = (p: StageProgress): void => {
    const losses = Object.entries(p.losses).map(([name, loss]) => `${name} ${loss.toFixed(3)}`)
    printResult(json, p, `${p.stage}, step ${p.step}: ${losses.join(', ')}; ${p.minutes.toFixed(1)} min\n`)
  }
  const options = { ...rest, peakLearningRate, onProgress }
  if (kind === 'llava' && vit === undefined)
    throw new UsageError('A llava begins with a ViT: give --vit DIR.', 'See sotto model pictures --help.')
  // Loaded only when used: it brings a large runtime.
  const { makeFashionLlava, makeFashionVit } = await import('../../../tools/pictures/fashion-models.ts')
  if (vit === undefined || kind === 'vit') {
    const report = await makeFashionVit({ ...options, minutes })
    printResult(json, report, `${percent(report.accuracy)} of the test pictures; ${report.model}\n`)
    return
  }
  const parts = { seeing: SEEING * minutes, reading: (1 - SEEING) * minutes }
  const report = await makeFashionLlava({ ...options, vit, minutes: parts })
  const kinds = Object.entries(report.answers).map(([name, share]) => `${name} ${percent(share)}`)
  printResult(json, report, `Answers: ${kinds.join(', ')}; ${report.model}\n`)
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`
