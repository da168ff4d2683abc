import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'

/** One line of the curve. */
export interface CurvePoint {
  step: number
  /** Seconds since the training began. */
  elapsed: number
  loss: number
  learningRate: number
  gradientNorm: number
  devLoss?: number
}

const header = 'step,seconds,loss,learning_rate,gradient_norm,dev_loss'

/** Appends to a CSV file; on resuming, drops lines past the step that is resumed from. */
export class LossCurve {
  readonly path: string

  constructor(path: string, step: number) {
    this.path = path
    const kept = existsSync(path) ? readCurve(path).filter((point) => point.step <= step) : []
    writeFileSync(path, `${[header, ...kept.map(line)].join('\n')}\n`)
  }

  add(point: CurvePoint): void {
    appendFileSync(this.path, `${line(point)}\n`)
  }
}

function line({ step, elapsed, loss, learningRate, gradientNorm, devLoss }: CurvePoint): string {
  const dev = devLoss === undefined ? '' : devLoss.toFixed(4)
  return `${step},${elapsed.toFixed(1)},${loss.toFixed(4)},${learningRate.toExponential(3)},${gradientNorm.toFixed(3)},${dev}`
}

export function readCurve(path: string): CurvePoint[] {
  const lines = readFileSync(path, 'utf8').trim().split('\n').slice(1)
  return lines.map((text) => {
    const [step, elapsed, loss, learningRate, gradientNorm, dev] = text.split(',')
    return {
      step: Number(step),
      elapsed: Number(elapsed),
      loss: Number(loss),
      learningRate: Number(learningRate),
      gradientNorm: Number(gradientNorm),
      devLoss: dev ? Number(dev) : undefined,
    }
  })
}
