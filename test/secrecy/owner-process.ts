/** A data owner as a process of its own: the engine that `sotto complete` runs, asked several things. */

import type { PageConfig } from '../../src/owner/api.ts'
import { nodePlatform } from '../../src/owner/node/platform.ts'
import { Owner } from '../../src/owner/owner.ts'
import type { Platform } from '../../src/owner/platform.ts'
import { streamId } from '../../src/protections/shared/prg.ts'

export interface Job {
  readonly peers: PageConfig
  readonly model: string
  /** Questions of each session, every one asked without those before it. */
  readonly sessions: readonly (readonly string[])[]
  readonly maxTokens: number
  /** A broken owner: the part that it keeps of its input is nothing, so what it sends is the input. */
  readonly leak?: boolean
}

/** What the owner made of a session's questions, or why it failed. */
export type Done = { replies: number[][][] } | { error: string }

/** Zeros in place of the first step's first stream, which an owner's share of its input comes from. */
function leaking(platform: Platform): Platform {
  const { kernels } = platform
  const keystream: typeof kernels.keystream = (key, nonce, offset, out) => {
    const stream = new DataView(nonce.buffer, nonce.byteOffset).getUint32(0, true)
    if (stream === streamId(0, 0)) out.fill(0)
    else kernels.keystream(key, nonce, offset, out)
  }
  return { ...platform, kernels: { ...kernels, keystream } }
}

// All sessions run the plans of a near server: how long a busy machine takes to answer must not choose.
performance.now = () => 0

async function run({ peers, model, sessions, maxTokens, leak }: Job): Promise<number[][][]> {
  const platform = nodePlatform()
  const owner = new Owner(peers, leak ? leaking(platform) : platform)
  const replies: number[][][] = []
  for (const questions of sessions) {
    await owner.open({ model, link: 'ws' }, () => undefined)
    const made: number[][] = []
    for (const content of questions) {
      // Blocks would read short questions token by token, and what is looked for is how prompts go, too.
      const options = { maxTokens, temperature: 0, topP: 1, seed: 1, padding: 'none' as const }
      const reply = await owner.chat([{ role: 'user', content }], options).catch((error) => {
        // Inputs far out of range go over the wires like others, and what comes out is no reply.
        if (error.code !== 'out-of-range') throw error
        return { ids: [] }
      })
      made.push(reply.ids)
    }
    await owner.close()
    replies.push(made)
  }
  return replies
}

process.once('message', (job: Job) => {
  const answer = (done: Done) => process.send?.(done, () => process.exit(0))
  run(job).then(
    (replies) => answer({ replies }),
    (error: Error) => answer({ error: error.stack ?? String(error) }),
  )
})
process.once('disconnect', () => process.exit(1))
