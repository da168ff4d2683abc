/** Certificates of test roots, made as those of AWS and AMD are. */
import 'reflect-metadata'
import {
  BasicConstraintsExtension,
  type Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509'
import { sha256 } from '../../../src/handshake/crypto.ts'
import { toHex } from '../../../src/handshake/encoding.ts'

export type Kind = 'ECDSA' | 'RSA-PSS'

const keyAlgorithms = {
  ECDSA: { name: 'ECDSA', namedCurve: 'P-384' },
  'RSA-PSS': {
    name: 'RSA-PSS',
    hash: 'SHA-384',
    modulusLength: 2048,
    publicExponent: Uint8Array.of(1, 0, 1),
  },
}
const signing = {
  ECDSA: { name: 'ECDSA', hash: 'SHA-384' },
  'RSA-PSS': { name: 'RSA-PSS', hash: 'SHA-384', saltLength: 48 },
}

export interface Issued {
  readonly name: string
  readonly der: Uint8Array
  readonly keys: CryptoKeyPair
  readonly kind: Kind
}

export interface Wish {
  readonly name: string
  readonly kind: Kind
  readonly issuer?: Issued
  readonly isAuthority: boolean
  readonly pathLength?: number
  readonly usages?: number
  readonly from?: Date
  readonly to?: Date
  readonly extensions?: Extension[]
  /** In place of the issuer's own name. */
  readonly issuerName?: string
}

/** The time at which test evidence is made and judged. */
export const NOW = new Date('2026-03-01T12:00:00Z')
const DAY = 86_400_000

export async function issue(wish: Wish): Promise<Issued> {
  const { name, kind, isAuthority } = wish
  const keys = (await crypto.subtle.generateKey(keyAlgorithms[kind], true, [
    'sign',
    'verify',
  ])) as CryptoKeyPair
  const issuer = wish.issuer ?? { name, keys, kind }
  const usages = wish.usages ?? (isAuthority ? KeyUsageFlags.keyCertSign : KeyUsageFlags.digitalSignature)
  const certificate = await X509CertificateGenerator.create({
    serialNumber: '01',
    subject: `CN=${name}`,
    issuer: `CN=${wish.issuerName ?? issuer.name}`,
    notBefore: wish.from ?? new Date(NOW.getTime() - DAY),
    notAfter: wish.to ?? new Date(NOW.getTime() + DAY),
    publicKey: keys.publicKey,
    signingKey: issuer.keys.privateKey,
    signingAlgorithm: signing[issuer.kind],
    extensions: [
      new BasicConstraintsExtension(isAuthority, wish.pathLength, true),
      new KeyUsagesExtension(usages, true),
      ...(wish.extensions ?? []),
    ],
  })
  return { name, kind, keys, der: new Uint8Array(new X509Certificate(certificate.rawData).rawData) }
}

export const pinOf = async ({ der }: Pick<Issued, 'der'>): Promise<string> => toHex(await sha256(der))
