/** Frames of a body, read in slices, so that nobody else waits long for the processor. */
import type { Budget } from './budget.ts'
import type { FrameReader } from './frame-reader.ts'
import { limits } from './limits.ts'

export const turn = (ms = 0): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/**
 * Yields one frame after another and charges `budget` for them; waits where it owes something. Rejects as `body` does, or
 * with `LinkError` as `FrameReader` throws.
 */
export async function* readFrames(
  body: AsyncIterable<Uint8Array>,
  reader: FrameReader,
  budget?: Budget,
): AsyncGenerator<Uint8Array, void, void> {
  for await (const piece of body) {
    let begun = performance.now()
    let frames = 0
    for (const frame of reader.cut(piece)) {
      frames++
      yield frame
      const cpuMs = performance.now() - begun
      if (cpuMs < limits.sliceMs && frames < limits.sliceFrames) continue
      budget?.spend({ frames, cpuMs })
      await turn(budget?.delayMs)
      begun = performance.now()
      frames = 0
    }
    budget?.spend({ frames, cpuMs: performance.now() - begun })
    const delayMs = budget?.delayMs ?? 0
    if (delayMs > 0) await turn(delayMs)
  }
  reader.end()
}
