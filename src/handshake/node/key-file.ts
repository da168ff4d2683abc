/** Identity keys on disk: PKCS#8 PEM, readable by their owner only. */
import { createPrivateKey, generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto'
import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { ed25519 } from '@noble/curves/ed25519.js'
import { agreeWith, type Identity } from '../crypto.ts'
import { fromBase64Url } from '../encoding.ts'

function identity(privateKey: KeyObject): Identity {
  if (privateKey.asymmetricKeyType !== 'ed25519')
    throw new Error('The key file does not hold an Ed25519 key.')
  const { x, d } = privateKey.export({ format: 'jwk' })
  const secret = ed25519.utils.toMontgomerySecret(fromBase64Url(d!, 32))
  return {
    publicKey: fromBase64Url(x!, 32),
    sign: async (message) => new Uint8Array(sign(null, message, privateKey)),
    agree: (peer) => agreeWith(secret, peer),
  }
}

/** A key that lives as long as the process. */
export const newIdentity = (): Identity => identity(generateKeyPairSync('ed25519').privateKey)

/** Puts a new key into its file, whole or not at all; of two processes that start together both have the first one's. */
function place(path: string, pem: string): string {
  const temporary = `${path}.${process.pid}.${randomUUID()}.tmp`
  try {
    const file = openSync(temporary, 'wx', 0o600)
    try {
      writeFileSync(file, pem)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    // Unlike a renaming, a link does not replace a file that somebody else has made meanwhile.
    linkSync(temporary, path)
    return pem
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    return readFileSync(path, 'utf8')
  } finally {
    rmSync(temporary, { force: true })
  }
}

/** Reads the key, or makes it on the first run. Throws when the file exists and is not such a key. */
export function loadIdentity(path: string): Identity {
  let pem: string
  try {
    pem = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    pem = generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }) as string
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    pem = place(path, pem)
  }
  return identity(createPrivateKey(pem))
}
