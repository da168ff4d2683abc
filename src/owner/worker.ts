/// <reference lib="webworker" />
/** The data owner's engine in a module worker, so that no product of matrices ever delays a key press. */
import { expose } from 'comlink'
import { KernelError } from '../kernels/error.ts'
import type { ClassifyInput, Message, OnEvent, OpenOptions, OwnerApi, OwnerEvent, PageConfig } from './api.ts'
import { OwnerError } from './api.ts'
import type { ChatOptions, MeasureOptions } from './chat-options.ts'
import type { OwnerHost } from './host.ts'
import { Owner } from './owner.ts'
import { browserPlatform } from './platform.ts'
import { installErrorTransfer, type WorkerApi } from './remote.ts'

installErrorTransfer()

let owner: OwnerApi | undefined
let starting: Promise<OwnerApi> | undefined

const engine = (): OwnerApi => {
  if (!owner) throw new OwnerError('internal', 'The engine was used before it was started.')
  return owner
}

/**
 * Settles when the window has had the last event. Events travel by a port of their own: without this wait an answer could
 * overtake them.
 */
let delivered: Promise<void> = Promise.resolve()

/** Through Comlink, a listener answers once the window has heard it. */
type RemoteListener = (event: OwnerEvent) => Promise<void>

/**
 * Runs a call, which is answered after its events. Whatever it throws becomes an error that keeps its advice on the way to
 * the window.
 */
async function guarded<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (reason) {
    if (reason instanceof KernelError)
      throw new OwnerError('backend', `${reason.message}.`, 'Leave out ?backend= to compute another way.')
    throw OwnerError.from(reason)
  } finally {
    await delivered
  }
}

const api: WorkerApi = {
  start: (config: PageConfig, host: OwnerHost) =>
    guarded(async () => {
      starting ??= browserPlatform(host).then((platform) => new Owner(config, platform))
      owner = await starting
    }),
  models: () => guarded(() => engine().models()),
  giveKey: (protection: string, file: string) => guarded(() => engine().giveKey(protection, file)),
  open: (options: OpenOptions, onEvent: OnEvent) => {
    const listener = onEvent as RemoteListener
    return guarded(() =>
      engine().open(options, (event) => {
        delivered = listener(event)
      }),
    )
  },
  prepare: () => guarded(() => engine().prepare()),
  measure: (message: Message, options: MeasureOptions) => guarded(() => engine().measure(message, options)),
  chat: (messages: Message[], options: ChatOptions) => guarded(() => engine().chat(messages, options)),
  classify: (inputs: ClassifyInput[]) => guarded(() => engine().classify(inputs)),
  classifyEach: (inputs: ClassifyInput[]) => guarded(() => engine().classifyEach(inputs)),
  embed: (texts: string[]) => guarded(() => engine().embed(texts)),
  embedEach: (texts: string[]) => guarded(() => engine().embedEach(texts)),
  stop: () => guarded(() => engine().stop()),
  close: () => guarded(() => engine().close()),
}

expose(api)
