/** A data owner as a process of its own: the engine that `sotto complete` runs, asked several things. */

import type { Message, PageConfig } from '../../src/owner/api.ts'
import { nodePlatform } from '../../src/owner/node/platform.ts'
import { Owner } from '../../src/owner/owner.ts'
import type { Platform } from '../../src/owner/platform.ts'

export interface Job {
  readonly peers: PageConfig
  readonly model: string
  readonly sessions: readonly Session[]
}

export interface Session {
  /** Every one is asked without those before it, unless they are turns of one conversation. */
  readonly questions: readonly string[]
  /** Of a reply. */
  readonly maxTokens: number
  readonly areTurns?: boolean
  /** A broken owner: this stream, which hides its input, is nothing but zeros, so what it sends is the input. */
  readonly leak?: number
}

/** What the owner made of a session's questions, or why it failed. */
export type Done = { replies: number[][][] } | { error: string }

/** Zeros in place of a stream. */
function leaking(platform: Platform, leak: number): Platform {
  const { kernels } = platform
  const keystream: typeof kernels.keystream = (key, nonce, offset, out) => {
    const stream = new DataView(nonce.buffer, nonce.byteOffset).getUint32(0, true)
    if (stream === leak) out.fill(0)
    else kernels.keystream(key, nonce, offset, out)
  }
  return { ...platform, kernels: { ...kernels, keystream } }
}

// All sessions run the plans of a near server: how long a busy machine takes to answer must not choose.
performance.now = () => 0

async function run({ peers, model, sessions }: Job): Promise<number[][][]> {
  const platform = nodePlatform()
  const replies: number[][][] = []
  for (const { questions, maxTokens, areTurns, leak } of sessions) {
    const owner = new Owner(peers, leak === undefined ? platform : leaking(platform, leak))
    await owner.open({ model, link: 'ws' }, () => undefined)
    const made: number[][] = []
    const turns: Message[] = []
    for (const content of questions) {
      if (!areTurns) turns.length = 0
      turns.push({ id: `${made.length}?`, role: 'user', content })
      // Blocks would read short questions token by token, and what is looked for is how prompts go, too.
      const id = `${made.length}.`
      const names = areTurns ? { conversation: 'one', reply: id } : {}
      const options = { maxTokens, temperature: 0, topP: 1, seed: 1, padding: 'none' as const, ...names }
      const reply = await owner.chat(turns, options).catch((error) => {
        // Inputs far out of range go over the wires like others, and what comes out is no reply.
        if (error.code !== 'out-of-range') throw error
        return { ids: [], text: '' }
      })
      turns.push({ id, role: 'assistant', content: reply.text })
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
