/** Run by `tsx src/kernels/oracle/write-vectors.ts`: writes vectors.json and narrow-vectors.json from the oracle. */
import { writeFileSync } from 'node:fs'
import { makeNarrowVectors } from './narrow-vectors.ts'
import { makeVectors } from './vectors.ts'

for (const [name, vectors] of [
  ['vectors', await makeVectors()],
  ['narrow-vectors', makeNarrowVectors()],
])
  writeFileSync(new URL(`../${name}.json`, import.meta.url), `${JSON.stringify(vectors, null, 1)}\n`)
