import { expect, it } from 'vitest'
import { canaryExposure, canaryRank, canaryReport, exposure } from './canary.ts'
import { AuditError } from './roc.ts'

it('is the paper’s formula: nine digits, first of all', () => {
  expect(exposure(1, 1e9)).toBeCloseTo(29.897, 3)
  expect(exposure(1e9, 1e9)).toBe(0)
  expect(exposure(2 ** 10, 2 ** 30)).toBe(20)
})

it('ranks by loss', () => {
  const references = Float32Array.from({ length: 1023 }, (_, i) => i)
  expect(canaryRank(-1, references)).toBe(1)
  expect(canaryRank(0.5, references)).toBe(2)
  expect(canaryRank(5000, references)).toBe(1024)
  expect(canaryExposure(-1, references)).toBe(10)
  expect(canaryExposure(254.5, references)).toBe(2)
  const report = canaryReport([-1, 254.5, 5000], references)
  expect(report).toEqual({ exposures: [10, 2, 0], mean: 4, largest: 10, limit: 10, extracted: 1 })
})

it('averages log2 e bits over canaries that left no trace', () => {
  const n = 10_000
  const references = Float64Array.from({ length: n }, (_, i) => i)
  const losses = Float64Array.from({ length: n }, (_, i) => i - 0.5)
  expect(canaryReport(losses, references).mean).toBeCloseTo(Math.LOG2E, 2)
})

it('refuses ranks and losses that are none', () => {
  for (const [rank, candidates] of [
    [0, 10],
    [11, 10],
    [Number.NaN, 10],
  ])
    expect(() => exposure(rank, candidates)).toThrow(AuditError)
  expect(() => canaryRank(Number.NaN, [1])).toThrow(AuditError)
  expect(() => canaryRank(1, [])).toThrow(AuditError)
  expect(() => canaryReport([], [1])).toThrow(AuditError)
})
