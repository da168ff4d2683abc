import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { veiledDemos } from './veiled-demo.ts'

test('a folder, hidden files and halves beside a model change nothing of its disguise', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sotto-demo-'))
  const models = join(folder, 'models')
  const model = join(models, 'fashion-vit')
  cpSync(new URL('../../models/fashion-vit', import.meta.url).pathname, model, { recursive: true })
  const clouds = async () => (await veiledDemos(models, join(folder, 'state'))).map(({ cloud }) => cloud)
  const [cloud] = await clouds()
  mkdirSync(join(model, '.cache'))
  mkdirSync(join(model, 'more'))
  for (const name of ['.hidden', 'weights.encoded.0123.part']) writeFileSync(join(model, name), 'x')
  expect(await clouds()).toEqual([cloud])
  writeFileSync(join(model, 'README.md'), 'Another one.')
  expect(await clouds()).not.toEqual([cloud])
  rmSync(folder, { recursive: true })
})
