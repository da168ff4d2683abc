import { expect, test } from 'vitest'
import { Line, RoundRobin } from './round-robin.ts'

interface Job {
  readonly name: string
  readonly cost: number
}

const ring = (quantum: number) => new RoundRobin<Job, Line<Job>>(quantum, () => new Line())

function taken(source: { shift(): Job | undefined }): string[] {
  const names: string[] = []
  for (let job = source.shift(); job; job = source.shift()) names.push(job.name)
  return names
}

test('of equal jobs every flow has one in turn, however many one of them has queued', () => {
  const jobs = ring(10)
  for (let n = 0; n < 4; n++) jobs.flow('greedy').push({ name: `g${n}`, cost: 10 })
  jobs.flow('modest').push({ name: 'm', cost: 10 })
  jobs.flow('other').push({ name: 'o', cost: 10 })
  expect(taken(jobs)).toEqual(['g0', 'm', 'o', 'g1', 'g2', 'g3'])
  expect(jobs.isEmpty).toBe(true)
})

test('a job that costs three times as much waits for three rounds', () => {
  const jobs = ring(10)
  for (let n = 0; n < 2; n++) jobs.flow('dear').push({ name: `d${n}`, cost: 30 })
  for (let n = 0; n < 8; n++) jobs.flow('cheap').push({ name: `c${n}`, cost: 10 })
  expect(taken(jobs)).toEqual(['c0', 'c1', 'd0', 'c2', 'c3', 'c4', 'd1', 'c5', 'c6', 'c7'])
})

test('turns go by the outer key first, so that more inner flows win nothing', () => {
  const jobs = new RoundRobin<Job, RoundRobin<Job, Line<Job>>>(10, () => ring(10))
  for (const session of ['a', 'b', 'c', 'd'])
    for (let n = 0; n < 2; n++)
      jobs
        .flow('many')
        .flow(session)
        .push({ name: `${session}${n}`, cost: 10 })
  for (let n = 0; n < 3; n++)
    jobs
      .flow('one')
      .flow('x')
      .push({ name: `x${n}`, cost: 10 })
  expect(taken(jobs)).toEqual(['a0', 'x0', 'b0', 'x1', 'c0', 'x2', 'd0', 'a1', 'b1', 'c1', 'd1'])
})

test('an idle flow saves nothing up', () => {
  const jobs = ring(10)
  jobs.flow('early').push({ name: 'e', cost: 1 })
  expect(taken(jobs)).toEqual(['e'])
  jobs.flow('early').push({ name: 'big', cost: 15 })
  jobs.flow('new').push({ name: 'small', cost: 10 })
  expect(taken(jobs)).toEqual(['small', 'big'])
})

test('a flow that was cleared is passed over', () => {
  const jobs = ring(10)
  jobs.flow('gone').push({ name: 'g', cost: 100 })
  jobs.flow('here').push({ name: 'h', cost: 10 })
  expect(jobs.peek()?.item.name).toBe('h')
  jobs.known('gone')?.clear()
  expect(taken(jobs)).toEqual(['h'])
  expect(jobs.isEmpty).toBe(true)
})
