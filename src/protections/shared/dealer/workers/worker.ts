/** A thread of the dealer's that deals: engines like that of a dealer with one thread, each deal in slices. */
import { parentPort, workerData } from 'node:worker_threads'
import { expose, type Remote, releaseProxy } from 'comlink'
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs'
import { SessionError } from '../../../../handshake/errors.ts'
import { createNodeKernels } from '../../../../kernels/node/kernels.ts'
import type { DealerPasses } from '../../agreement/parties.ts'
import { splitBundleOf } from '../../custody/split-bundle.ts'
import { Scheduler } from '../../scheduling/scheduler.ts'
import type { Turn } from '../../session/turn.ts'
import { DEALER_DIGIT_BYTES, PlanDealer } from '../engine.ts'
import { type NextTensor, outcomeOf, type SlabSink, type WorkerApi, type WorkerSetup } from './api.ts'
import { Slabs } from './slabs.ts'

interface Session {
  readonly engine: number
  readonly passes: DealerPasses
  readonly slabs: Slabs
  readonly sink: Remote<SlabSink>
  isDealing: boolean
  isOver: boolean
}

const setup = workerData as WorkerSetup
const kernels = createNodeKernels({ products: setup.products, digitBytes: DEALER_DIGIT_BYTES })
const splitBundles = new Map([...setup.splitBundles].map(([hash, held]) => [hash, splitBundleOf(held)]))
/** Which deal begins is the main thread's to say; here those that it has begun share the thread. */
const scheduler = new Scheduler()
const engines = new Map<number, PlanDealer>()
const sessions = new Map<number, Session>()

const over = () => new SessionError('expired', 'The session is over.')

function engineOf(engine: number): PlanDealer {
  const dealer = engines.get(engine)
  if (!dealer) throw over()
  return dealer
}

/** What came as a proxy is one, and has to be given back. */
const remote = <T>(proxied: T): Remote<T> => proxied as unknown as Remote<T>

async function* tensorsOf(next: NextTensor): AsyncGenerator<Uint8Array> {
  for (let { tensor } = await next(); tensor; { tensor } = await next()) yield tensor
}

async function deal(session: Session, pass: number, request: Uint8Array, turn: Turn): Promise<void> {
  const sink = async (chunk: Uint8Array): Promise<void> => {
    if (session.isOver) throw over()
    await session.slabs.write(chunk, turn)
  }
  session.isDealing = true
  try {
    if (session.isOver) throw over()
    session.slabs.begin(pass)
    await session.passes.deal(request, sink, turn)
    await session.slabs.end(turn)
  } finally {
    session.isDealing = false
    if (session.isOver) session.sink[releaseProxy]()
  }
}

function close(number: number): void {
  const session = sessions.get(number)
  if (!session || !sessions.delete(number)) return
  session.isOver = true
  session.passes.close()
  if (!session.isDealing) session.sink[releaseProxy]()
}

const api: WorkerApi = {
  begin: (engine, serverKey) => void engines.set(engine, new PlanDealer(kernels, splitBundles, serverKey)),
  register: (engine, modelHash, header, next) =>
    outcomeOf(() => engineOf(engine).registerModel(modelHash, header, tensorsOf(next))).finally(() =>
      remote(next)[releaseProxy](),
    ),
  open: (engine, number, modelHash, seed, sink) =>
    outcomeOf(() => {
      const passes = engineOf(engine).open(modelHash, seed)
      sessions.set(number, {
        engine,
        passes,
        sink: remote(sink),
        slabs: new Slabs(sink),
        isDealing: false,
        isOver: false,
      })
    }),
  deal: (number, pass, request, cost, rows) =>
    outcomeOf(async () => {
      const session = sessions.get(number)
      if (!session) throw over()
      await new Promise<void>((resolve, reject) => {
        const run = (turn: Turn) => deal(session, pass, request, turn).then(resolve, reject)
        scheduler.submit({ peer: String(number), session: String(number), cost, rows, run })
      })
    }),
  close,
  end: (engine) => {
    for (const [number, session] of sessions) if (session.engine === engine) close(number)
    engines.get(engine)?.close()
    engines.delete(engine)
  },
}

if (parentPort) expose(api, nodeEndpoint(parentPort))
