/**
 * What crosses between the parties, held against what was recorded: for fixed keys every message, all dealt material, all
 * released values, plan and model hashes and the bytes of the bundles stay as they are, whatever is done to the code.
 * A change that is meant to change them is recorded by `npx tsx test/transcripts/record.ts`.
 */
import { describe, expect, it } from 'vitest'
import { cases } from './cases.ts'
import recorded from './recorded.json' with { type: 'json' }
import { publicMetadata, type Transcript, transcribe } from './run.ts'
import { agreement } from './run-agreement.ts'

const transcripts: Readonly<Record<string, Transcript>> = recorded.transcripts

/** Seconds on a machine of its own, minutes on one that is busy with other tests. */
const TIMEOUT_MS = 300_000

describe('the transcript', () => {
  it.each(Object.keys(cases))(
    'of %s is what was recorded',
    async (name) => {
      expect(await transcribe(cases[name])).toEqual(transcripts[name])
    },
    TIMEOUT_MS,
  )

  it(
    'is the same on other kernels',
    async () => {
      const other = await transcribe(cases.sst2, { owner: 'node', others: 'wasm' })
      expect(other).toEqual(transcripts.sst2)
    },
    TIMEOUT_MS,
  )

  it('is recorded of these cases alone', () => {
    expect(Object.keys(transcripts)).toEqual(Object.keys(cases))
  })
})

it('what a split model makes public is what was recorded', () => {
  expect(publicMetadata()).toBe(recorded.publicMetadata)
})

it('what keys are agreed on by, and what the messages around the passes look like, is what was recorded', async () => {
  expect(await agreement()).toEqual(recorded.agreement)
})
