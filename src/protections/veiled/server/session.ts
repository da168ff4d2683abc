/** One owner's requests to an engine, one at a time, each bounded before anything is computed for it. */
import { SessionError } from '../../../handshake/errors.ts'
import type { Link } from '../../../transport/link.ts'
import { CANCELLED, decodeRequest, encodeAnswer, type Request, TAKEN } from '../messages.ts'
import type { DecoderEngine, Engine, LabelEngine, PictureEngine } from './engine.ts'

type Wanted = Exclude<Request, { kind: 'cancel' }>
type Answer = (request: Wanted, signal: AbortSignal) => Promise<Uint8Array>

/** Answers until the link ends. Rejects with `LinkError`, or the `SessionError` that the owner is told. */
export async function serveSession(link: Link, engine: Engine, maxTokens: number): Promise<void> {
  const { answer, close } = await answering(engine, maxTokens)
  const left = new AbortController()
  try {
    let next = link.receive()
    for (;;) {
      const request = decodeRequest(await next)
      next = link.receive()
      next.catch((error: unknown) => left.abort(error))
      // It has come too late: what it was to stop is answered.
      if (request.kind === 'cancel') continue
      const stopped = new AbortController()
      const signal = AbortSignal.any([left.signal, stopped.signal])
      let isAnswered = false
      const heard = next.then((bytes) => {
        if (isAnswered) return undefined
        if (decodeRequest(bytes).kind !== 'cancel')
          throw new SessionError('malformed', 'The page asks before it is answered.')
        stopped.abort()
        return link.receive()
      })
      heard.catch((error: unknown) => left.abort(error))
      const reply = await answer(request, signal).catch((error: unknown) => {
        if (stopped.signal.aborted && !left.signal.aborted) return CANCELLED
        throw error
      })
      isAnswered = true
      if (stopped.signal.aborted) next = heard as Promise<Uint8Array>
      await link.send(reply, false)
    }
  } finally {
    await close()
  }
}

async function answering(
  engine: Engine,
  maxTokens: number,
): Promise<{ answer: Answer; close(): Promise<void> }> {
  if (engine.kind === 'decoder') return decoding(engine, maxTokens)
  return engine.kind === 'labels' ? labelling(engine, maxTokens) : looking(engine)
}

const checkIds = (ids: Uint32Array, { vocab }: DecoderEngine | LabelEngine, maxTokens: number): void => {
  if (ids.length > maxTokens)
    throw new SessionError('oversized', `A request has ${ids.length} tokens; ${maxTokens} are the most.`)
  if (!ids.every((id) => id < vocab))
    throw new SessionError('malformed', 'The page has sent tokens that there are not.')
}

function checkPicture(values: Float32Array, { patches, pixels }: { patches: number; pixels: number }): void {
  if (values.length !== patches * pixels)
    throw new SessionError('malformed', 'The page has sent a picture of another size.')
}

const unlike = (): never => {
  throw new SessionError('malformed', 'The page asks for what this model does not do.')
}

async function decoding(
  engine: DecoderEngine,
  maxTokens: number,
): Promise<{ answer: Answer; close(): Promise<void> }> {
  const text = await engine.open()
  let read = 0
  return {
    close: () => text.close(),
    async answer(request, signal) {
      if (request.kind === 'picture' && engine.pictures && text.look) {
        checkPicture(request.values, engine.pictures)
        await text.look(request.values, signal)
        return TAKEN
      }
      if (request.kind !== 'tokens') return unlike()
      const { base, ids } = request
      checkIds(ids, engine, maxTokens)
      if (base > read) throw new SessionError('malformed', 'The page goes on behind what was read.')
      if (base + ids.length > engine.context)
        throw new SessionError('oversized', `The text is longer than ${engine.context} tokens.`)
      // What follows is overwritten even if it is given up.
      read = base
      const { ids: tokens, logits } = await text.next(base, ids, signal)
      read = base + ids.length
      return encodeAnswer(logits, tokens)
    },
  }
}

const labelling = (engine: LabelEngine, maxTokens: number): { answer: Answer; close(): Promise<void> } => ({
  close: async () => undefined,
  async answer(request, signal) {
    if (request.kind !== 'text') return unlike()
    const { ids, types } = request
    checkIds(ids, engine, maxTokens)
    if (!types.every((type) => type < engine.types))
      throw new SessionError('malformed', 'The page has sent token types that there are not.')
    return encodeAnswer(await engine.classify(ids, types, signal))
  },
})

const looking = (engine: PictureEngine): { answer: Answer; close(): Promise<void> } => ({
  close: async () => undefined,
  async answer(request, signal) {
    if (request.kind !== 'picture') return unlike()
    checkPicture(request.values, engine)
    return encodeAnswer(await engine.label(request.values, signal))
  },
})
