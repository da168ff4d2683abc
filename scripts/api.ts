/** Writes `docs/api.md`: `npm run api`. */
import { writeFileSync } from 'node:fs'
import { apiPage } from './api/page.ts'

writeFileSync('docs/api.md', apiPage())
