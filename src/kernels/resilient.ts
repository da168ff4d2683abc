import { KernelError } from './error.ts'
import type { ProductDevice, ProductSpec, Stationary, StationarySpec } from './kernels.ts'

/** A stationary operand by its spec: whichever device is current loads it when it is first needed there. */
class Remembered implements Stationary {
  readonly spec: StationarySpec
  loaded?: { on: ProductDevice; operand: Promise<Stationary> }

  constructor(spec: StationarySpec) {
    this.spec = spec
  }

  free(): void {
    const { loaded } = this
    this.loaded = undefined
    loaded?.operand.then((operand) => operand.free()).catch(() => undefined)
  }
}

/**
 * A device that outlives the loss of the one beneath it: operands are loaded again on a replacement and the product is
 * repeated there. A product is a pure function of its specs, so the repeat gives the same bytes and no mask is used for
 * two values.
 *
 * @param replace makes the device to go on with; called once, on the first loss
 * @param onLoss told why, for the person at the screen
 */
export function resilientDevice(
  first: ProductDevice,
  replace: () => Promise<ProductDevice>,
  onLoss: (reason: string) => void,
): ProductDevice {
  let current = first
  let spent = 0
  let replacing: Promise<void> | undefined

  const change = (reason: string): Promise<void> => {
    replacing ??= replace().then((device) => {
      spent = current.dispatches
      current = device
      onLoss(reason)
    })
    return replacing
  }
  const run = async (f: Remembered, spec: ProductSpec): Promise<BigUint64Array> => {
    const device = current
    if (f.loaded?.on !== device) f.loaded = { on: device, operand: device.stationary(f.spec) }
    return device.product(await f.loaded.operand, spec)
  }
  return {
    get name() {
      return current.name
    },
    get dispatches() {
      return spent + current.dispatches
    },
    lost: first.lost,
    stationary: async (spec) => new Remembered(spec),
    async product(f, spec) {
      if (!(f instanceof Remembered)) throw new KernelError('the operand belongs to another device')
      const device = current
      try {
        return await run(f, spec)
      } catch (error) {
        if (!(error instanceof KernelError) || (device === current && replacing)) throw error
        await change(error.message)
        return run(f, spec)
      }
    },
  }
}
