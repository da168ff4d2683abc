import { expect, it } from 'vitest'
import { lineChart, type Series } from './line-chart.ts'

const line = (points: Series['points'], over: Partial<Series> = {}): Series => ({
  name: 'a',
  colour: '#000',
  points,
  ...over,
})
const chart = (...series: Series[]) => lineChart({ title: 'y', across: 'x', series })
const places = (svg: string) => [...svg.matchAll(/cx="([\d.]+)" cy="([\d.]+)"/g)].map(([, x, y]) => [+x, +y])

it('puts larger values higher and later ones further right, within the picture', () => {
  const [first, second] = places(
    chart(
      line([
        [1, 2],
        [2, 5],
      ]),
    ),
  )
  expect(second[1]).toBeLessThan(first[1])
  expect(second[0]).toBeGreaterThan(first[0])
  for (const points of [
    [[3, 3]],
    [[0, 0]],
    [
      [1, -2],
      [5, 7],
    ],
    [
      [1, 1e-9],
      [1e6, 2e-9],
    ],
  ] as [number, number][][])
    for (const [x, y] of places(chart(line(points)))) {
      expect(x).toBeGreaterThanOrEqual(56)
      expect(x).toBeLessThanOrEqual(696)
      expect(y).toBeGreaterThanOrEqual(28)
      expect(y).toBeLessThanOrEqual(280)
    }
})

it('marks both axes in round numbers', () => {
  const svg = chart(
    line([
      [1, 1],
      [1000, 5],
    ]),
  )
  const marks = [...svg.matchAll(/>([\d.,]+)<\/text>/g)].map(([, mark]) => mark)
  expect(marks).toEqual(['1', '2', '3', '4', '5', '0', '200', '400', '600', '800', '1,000'])
})

it('leaves dots out where they would run together, and lines where they would mislead', () => {
  const many = Array.from({ length: 100 }, (_, i): [number, number] => [i, i % 7])
  expect(places(chart(line(many)))).toHaveLength(0)
  expect(chart(line(many))).toContain('<path')
  expect(places(chart(line(many, { dotsOnly: true })))).toHaveLength(100)
  expect(chart(line(many, { dotsOnly: true }))).not.toContain('<path')
})

it('writes names as text', () => {
  const svg = lineChart({ title: '<b>', across: '&', series: [line([[1, 1]], { name: '"' })] })
  expect(svg).toContain('>&#60;b&#62;</text>')
  expect(svg).toContain('>&#38;</text>')
  expect(svg).toContain('>&#34;</text>')
})

it('needs a point', () => {
  expect(() => chart()).toThrow('nothing to draw for "y"')
  expect(() => chart(line([]))).toThrow('nothing to draw')
})
