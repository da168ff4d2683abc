import { lineChart } from './line-chart.ts'
import type { CurvePoint } from './loss-curve.ts'

/** The loss curve as a picture: training loss, smoothed over neighbouring steps, and held-out loss as dots. */
export function curveSvg(points: CurvePoint[]): string {
  const dev = points.flatMap(({ step, devLoss }): [number, number][] =>
    devLoss === undefined ? [] : [[step, devLoss]],
  )
  const training = smoothed(points, Math.max(1, Math.round(points.length / 150)))
  const series = [
    { name: 'training', colour: '#2f5bd8', points: training },
    { name: 'held out', colour: '#d9480f', points: dev, dotsOnly: true },
  ]
  return lineChart({
    title: 'Loss (nats per token)',
    across: 'step',
    series: series.filter((each) => each.points.length > 0),
  })
}

/** Means of `size` neighbouring steps. */
function smoothed(points: CurvePoint[], size: number): [step: number, loss: number][] {
  const out: [number, number][] = []
  for (let i = 0; i < points.length; i += size) {
    const group = points.slice(i, i + size)
    const mean = (pick: (p: CurvePoint) => number) =>
      group.reduce((sum, p) => sum + pick(p), 0) / group.length
    out.push([mean((p) => p.step), mean((p) => p.loss)])
  }
  return out
}
