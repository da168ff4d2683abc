/// <reference lib="webworker" />
/** Reads a workbook beside the page, which would stall meanwhile. */
import { TableError } from '../../texts/error.ts'
import { readXlsx } from '../../texts/xlsx.ts'
import type { SheetAnswer, SheetFile } from './sheet.ts'

const answer = (told: SheetAnswer): void => postMessage(told)

addEventListener('message', async ({ data: { name, bytes } }: MessageEvent<SheetFile>) => {
  try {
    answer({ rows: await readXlsx(name, bytes) })
  } catch (error) {
    // Whatever it was: the page waits.
    answer({ trouble: error instanceof TableError ? error.message : undefined })
  }
})
