// The sources are TypeScript: tsx runs them as they are, in every thread anew.
import { register } from 'tsx/esm/api'

register()
await import('./worker.ts')
