/** Makes the library's package: `npm run build:lib`. */
import { buildPackage } from './package/build.ts'

await buildPackage('dist-lib')
