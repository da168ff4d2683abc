/// <reference lib="webworker" />
/** The data owner's engine in a module worker, so that no product of matrices ever delays a key press. */
import { expose } from 'comlink'
import { KernelError } from '../kernels/error.ts'
import type {
  ChatOptions,
  ClassifyInput,
  Message,
  OpenOptions,
  OwnerApi,
  OwnerEvent,
  OwnerHost,
  PageConfig,
} from './api.ts'
import { OwnerError } from './api.ts'
import { Owner } from './owner.ts'
import { installErrorTransfer, type WorkerApi } from './remote.ts'

installErrorTransfer()

let owner: OwnerApi | undefined

const engine = (): OwnerApi => {
  if (!owner) throw new OwnerError('internal', 'The engine was used before it was started.')
  return owner
}

/** Runs a call, turning whatever it throws into an error that keeps its advice on the way to the window. */
async function guarded<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (reason) {
    if (reason instanceof KernelError)
      throw new OwnerError('backend', `${reason.message}.`, 'Leave out ?backend= to compute another way.')
    throw OwnerError.from(reason)
  }
}

const api: WorkerApi = {
  async start(config: PageConfig, host: OwnerHost) {
    owner ??= new Owner(config, host)
  },
  models: () => guarded(() => engine().models()),
  open: (options: OpenOptions, onEvent: (event: OwnerEvent) => void) =>
    guarded(() => engine().open(options, onEvent)),
  prepare: () => guarded(() => engine().prepare()),
  chat: (messages: Message[], options: ChatOptions) => guarded(() => engine().chat(messages, options)),
  classify: (inputs: ClassifyInput[]) => guarded(() => engine().classify(inputs)),
  stop: () => guarded(() => engine().stop()),
  close: () => guarded(() => engine().close()),
}

expose(api)
