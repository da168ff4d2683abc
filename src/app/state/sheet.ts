/** Excel workbooks as texts to classify. */
import { TableError } from '../../texts/error.ts'
import { most } from './classify-table.ts'

export interface SheetFile {
  name: string
  bytes: Uint8Array
}

/** Rows, or why there are none, where that is known. */
export type SheetAnswer = { rows: string[][] } | { trouble: string | undefined }

/** Rows of the first sheet, read in a worker of its own. Rejects with {@link TableError}. */
export async function readSheet({ name, bytes }: SheetFile): Promise<string[][]> {
  if (bytes.length > most.bytes)
    throw new TableError(`${name} is larger than ${most.bytes / 1e6} MB. Split it, or save its sheet as CSV.`)
  const worker = new Worker(new URL('./sheet-worker.ts', import.meta.url), { type: 'module', name: 'sheet' })
  try {
    const answer = await new Promise<SheetAnswer>((resolve) => {
      worker.addEventListener('message', ({ data }: MessageEvent<SheetAnswer>) => resolve(data))
      // Its script could not be loaded, or there is no memory left.
      for (const failed of ['error', 'messageerror'])
        worker.addEventListener(failed, () => resolve({ trouble: undefined }))
      worker.postMessage({ name, bytes })
    })
    if ('trouble' in answer)
      throw new TableError(answer.trouble ?? `${name} could not be read here. Save its sheet as CSV.`)
    return answer.rows
  } finally {
    worker.terminate()
  }
}
