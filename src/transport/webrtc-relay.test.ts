import { expect, test } from 'vitest'
import { BaseCarrier } from './carrier.ts'
import { openRelay, relayedDial } from './webrtc-relay.ts'

/** A channel whose bytes stay in it until the test lets them go. */
class Stuck extends BaseCarrier {
  buffered = 0
  send(frame: Uint8Array): void {
    this.buffered += frame.length
  }
  close(): void {
    this.end('closed here')
  }
}

async function relayed() {
  const window = new Stuck()
  const worker = await relayedDial((url) => openRelay(url, async () => window), 'unused')()
  let ended = ''
  worker.listen({
    frame: () => undefined,
    end: (reason) => {
      ended = reason
    },
  })
  worker.send(new Uint8Array(1000))
  await expect.poll(() => window.buffered).toBe(1000)
  return { window, worker, reason: () => ended }
}

test('the worker hears that what it sent has left, though it sends nothing more', async () => {
  const { window, worker } = await relayed()
  const drained = worker.drained(0)
  window.buffered = 0
  await drained
  worker.close()
})

test('nobody waits for what an ended channel still holds', async () => {
  const { window, worker, reason } = await relayed()
  const drained = worker.drained(0)
  window.close()
  await drained
  expect(reason()).toBe('closed here')
  expect(worker.buffered).toBe(1000)
})
