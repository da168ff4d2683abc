/** Published evidence, from files. */
import { readFileSync } from 'node:fs'

const file = (name: string): string => readFileSync(new URL(`./published/${name}`, import.meta.url), 'utf8')
const base64 = (name: string): Uint8Array => new Uint8Array(Buffer.from(file(name), 'base64'))

/** DER of every certificate of a PEM file, in its order. */
const certificates = (name: string): Uint8Array[] =>
  [...file(name).matchAll(/-----BEGIN CERTIFICATE-----([^-]+)-----END/g)].map(
    ([, text]) => new Uint8Array(Buffer.from(text, 'base64')),
  )

const [ask, ark] = certificates('milan-chain.pem')
const [vcek] = certificates('snp-vcek.pem')
const [debugVcek] = certificates('snp-debug-vcek.pem')

export const published = {
  nitroDebug: base64('nitro-debug.base64'),
  snp: { report: base64('snp.base64'), chain: [ark, ask, vcek] },
  snpDebug: { report: base64('snp-debug.base64'), chain: [ark, ask, debugVcek] },
}
