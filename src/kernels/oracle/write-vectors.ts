/** Run by `tsx src/kernels/oracle/write-vectors.ts`: writes vectors.json from the oracle. */
import { writeFileSync } from 'node:fs'
import { makeVectors } from './vectors.ts'

writeFileSync(
  new URL('../vectors.json', import.meta.url),
  `${JSON.stringify(await makeVectors(), null, 1)}\n`,
)
