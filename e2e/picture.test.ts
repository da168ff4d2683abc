/** A person labels a picture, and sees what its host could see. */
import { encode } from 'fast-png'
import type { Browser, Page } from 'playwright'
import { afterAll, beforeAll, expect, inject, it } from 'vitest'
import type { RgbaPicture } from '../src/model/pictures/prepare.ts'
import { likeness } from '../test/support/likeness.ts'
import { collageOf, garmentPictures } from '../test/support/pictures/garments.ts'
import { ChatPage, launch } from './support/page.ts'

const url = inject('url')
let browser: Browser

beforeAll(async () => {
  browser = await launch()
})
afterAll(() => browser.close())

const centred = (values: readonly number[]): number[] => {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  return values.map((value) => value - mean)
}

/** Grey values of a canvas, by its name. */
const shown = (page: Page, name: string): Promise<number[]> =>
  page.getByRole('img', { name }).evaluate((canvas) => {
    const { width, height } = canvas as HTMLCanvasElement
    const { data } = (canvas as HTMLCanvasElement).getContext('2d')!.getImageData(0, 0, width, height)
    return Array.from({ length: width * height }, (_, i) => data[4 * i])
  })

async function drop(page: Page, { width, height, data }: RgbaPicture, name: string): Promise<void> {
  const png = Buffer.from(encode({ width, height, data, channels: 4, depth: 8 })).toString('base64')
  const dropped = await page.evaluateHandle(
    ([base64, file]) => {
      const transfer = new DataTransfer()
      const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))
      transfer.items.add(new File([bytes], file, { type: 'image/png' }))
      return transfer
    },
    [png, name],
  )
  await page.locator('sotto-picture-field .drop').dispatchEvent('drop', { dataTransfer: dropped })
}

it('a picture is dropped once its key is there, gets its label, and is shown as its host could rebuild it', async () => {
  const { page, complaints } = await ChatPage.fresh(browser)
  const configuration = (await (await fetch(new URL('config.json', url))).json()) as {
    protections: { veiled: { kits: Record<string, string> } }
  }
  const kits = await Promise.all(
    Object.values(configuration.protections.veiled.kits).map(async (path) => {
      const response = await fetch(new URL(path, url))
      return Buffer.from(await response.arrayBuffer())
    }),
  )
  // The one that reads pictures and no texts.
  const kit = kits.find((bytes) => {
    const { pictures, texts } = JSON.parse(bytes.toString())
    return pictures && !texts
  })!
  configuration.protections.veiled.kits = {}
  await page.route('**/config.json', (route) => route.fulfill({ json: configuration }))
  await page.goto(`${url}?model=fashion-vit-veiled`)
  await page.getByRole('heading', { name: 'This model takes a key' }).waitFor()
  const give = (buffer: Buffer) =>
    page.getByLabel('Key file').setInputFiles({ name: 'kit.json', mimeType: 'application/json', buffer })
  await give(Buffer.from('{"format":"sotto-veil-owner/1"}'))
  await page.getByText('The file is a key by itself').waitFor()
  await give(kit)
  await page.getByText('Ready to classify').waitFor()
  expect(await page.locator('.lead').first().textContent()).toContain('mixed and reordered')
  // The demonstration's enclave is a simulator.
  expect(await page.locator('sotto-panel #enclave').textContent()).toMatch(/^not attested · A simulator/)

  const [picture] = garmentPictures()
  const { width, height, data } = picture
  await drop(page, picture, 'boot.png')
  const result = page.getByRole('region', { name: 'Result' })
  await result.waitFor()
  expect(await result.getByRole('heading').textContent()).toMatch(/^boot, \d+\.\d%$/)
  const own = await shown(page, 'Your picture')
  expect(own).toEqual(Array.from({ length: width * height }, (_, i) => data[4 * i]))
  const cloud = await shown(page, 'As the host could see it')
  const correlation = likeness(centred(own), centred(cloud))
  expect(correlation).toBeGreaterThan(0.8)
  expect(correlation).toBeLessThan(0.9999)
  expect(complaints).toEqual([])
  await page.context().close()
})

it('a picture of four garments is asked about, and answered in words', async () => {
  const { page, complaints } = await ChatPage.fresh(browser)
  await page.goto(`${url}?model=fashion-llava-veiled`)
  await page.getByText('Ready to answer').waitFor()
  const pictures = garmentPictures()
  await drop(page, collageOf([0, 1, 2, 18].map((n) => pictures[n])), 'four.png')
  await page.getByText('The question is about four.png.').waitFor()
  await page.getByLabel('Question').fill('what is at the top left?')
  await page.getByLabel('Question').press('Enter')
  const result = page.getByRole('region', { name: 'Result' })
  await result.getByRole('heading', { name: 'a boot.' }).waitFor()
  const [own, cloud] = [await shown(page, 'Your picture'), await shown(page, 'As the host could see it')]
  expect(own).toHaveLength(56 * 56)
  expect(likeness(centred(own), centred(cloud))).toBeGreaterThan(0.8)
  // Another question about the same picture.
  await page.getByRole('button', { name: 'How many bags are there?' }).click()
  await result.getByRole('heading', { name: /^(none|one|two|three|four)\.$/ }).waitFor()
  expect(complaints).toEqual([])
  await page.context().close()
})
