import { expect, it } from 'vitest'
import { reportHtml } from './report.ts'

const report = (epoch: number, over = {}) => ({
  epoch,
  step: 10 * epoch,
  seconds: 5,
  trainLoss: 1 / epoch,
  devLoss: 1.1 / epoch,
  ...over,
})

it('shows curves of what there is, the figures and the facts', () => {
  const privately = [1, 2, 3].map((epoch) =>
    report(epoch, { devAccuracy: 0.5 + epoch / 10, epsilon: 2 * epoch }),
  )
  const html = reportHtml('A <b> model', [['Delta', '1e-5']], privately)
  expect(html.match(/<svg/g)).toHaveLength(3)
  expect(html).toContain('A &#60;b&#62; model')
  expect(html).toContain('<dt>Delta</dt><dd>1e-5</dd>')
  expect(html).toContain('<td>6.000</td>')
  expect(reportHtml('x', [], [report(1)]).match(/<svg/g)).toHaveLength(1)
})
