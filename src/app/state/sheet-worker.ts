/// <reference lib="webworker" />
/** Reads a workbook beside the page, which would stall meanwhile. */
import { readXlsx } from '../../texts/xlsx.ts'
import type { SheetAnswer, SheetFile } from './sheet.ts'

addEventListener('message', async ({ data: { name, bytes } }: MessageEvent<SheetFile>) => {
  const answer: SheetAnswer = await readXlsx(name, bytes).then(
    (rows) => ({ rows }),
    (error: Error) => ({ trouble: error.message }),
  )
  postMessage(answer)
})
