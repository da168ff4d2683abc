import { createPrivateKey, X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { get } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Hono } from 'hono'
import { afterAll, afterEach, expect, test, vi } from 'vitest'
import { ownNames, selfMadeCertificate, type Tls } from './certificate.ts'
import { listen } from './http.ts'
import { makeCertificate } from './make-certificate.ts'

const DAY = 24 * 3_600_000
const dir = mkdtempSync(join(tmpdir(), 'sotto-certificate-'))
afterAll(() => rmSync(dir, { recursive: true }))
afterEach(() => vi.useRealTimers())

/** The answer of an HTTPS server, to a client that trusts `ca` alone and takes the server for `servername`. */
const ask = (port: number, ca: string | undefined, servername: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, ca, servername, agent: false }
    get(options, (response) => response.setEncoding('utf8').once('data', resolve)).once('error', reject)
  })

const served = async (tls: Tls, use: (port: number) => Promise<void>): Promise<void> => {
  const app = new Hono().get('/', (c) => c.text('here')) as unknown as Parameters<typeof listen>[0]['app']
  const server = await listen({ app, host: '127.0.0.1', port: 0, tls })
  try {
    await use(server.port)
  } finally {
    await server.close()
  }
}

test('is trusted by who trusts it, for its names alone, and by nobody else', async () => {
  const tls = await makeCertificate(['localhost', '127.0.0.1', '::1', '192.168.7.9'])
  const other = await makeCertificate(['localhost'])
  await served(tls, async (port) => {
    expect(await ask(port, tls.cert, 'localhost')).toBe('here')
    expect(await ask(port, tls.cert, '')).toBe('here')
    await expect(ask(port, tls.cert, 'sotto.example')).rejects.toMatchObject({
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    })
    await expect(ask(port, undefined, 'localhost')).rejects.toThrow(/self-signed/)
    await expect(ask(port, other.cert, 'localhost')).rejects.toThrow(/self-signed/)
  })
})

test('names, uses and time', async () => {
  const { cert, key } = await makeCertificate(['localhost', 'sotto.example', '127.0.0.1', '::1', 'fe80::12'])
  const parsed = new X509Certificate(cert)
  expect(parsed.subjectAltName?.split(', ')).toEqual([
    'DNS:localhost',
    'DNS:sotto.example',
    'IP Address:127.0.0.1',
    'IP Address:0:0:0:0:0:0:0:1',
    'IP Address:FE80:0:0:0:0:0:0:12',
  ])
  expect(parsed.checkIP('::1')).toBe('::1')
  expect(parsed.checkIP('127.0.0.2')).toBeUndefined()
  // It may prove who a server is, and sign no other certificate.
  expect(parsed.ca).toBe(false)
  expect(parsed.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1'])
  // The key usage extension: digitalSignature (bit 0), critical.
  expect(parsed.raw.includes(Buffer.from('0603551d0f0101ff040403020780', 'hex'))).toBe(true)
  expect(parsed.checkPrivateKey(createPrivateKey(key))).toBe(true)
  expect(parsed.publicKey.asymmetricKeyDetails).toMatchObject({ namedCurve: 'prime256v1' })
  expect(parsed.verify(parsed.publicKey)).toBe(true)
  const [from, to] = [parsed.validFrom, parsed.validTo].map((date) => Date.parse(date))
  expect(from).toBeLessThanOrEqual(Date.now())
  expect(to - from).toBeLessThanOrEqual(398 * DAY)
})

test('keys and serial numbers are drawn anew', async () => {
  const [a, b] = (await Promise.all([makeCertificate(['a']), makeCertificate(['a'])])).map(
    ({ cert }) => new X509Certificate(cert),
  )
  expect(a.serialNumber).toMatch(/^[4-7][0-9A-F]{31}$/)
  expect(a.serialNumber).not.toBe(b.serialNumber)
  expect(a.publicKey.equals(b.publicKey)).toBe(false)
})

test('is kept for all names of this machine while it holds, and made anew after', async () => {
  const made = await selfMadeCertificate(dir, 'sotto.example')
  const files = ['self-made.crt', 'self-made.key'].map((name) => join(dir, name))
  expect(files.map((file) => readFileSync(file, 'utf8'))).toEqual([made.cert, made.key])
  expect(statSync(files[1]).mode & 0o077).toBe(0)
  const parsed = new X509Certificate(made.cert)
  expect(parsed.checkHost('sotto.example')).toBe('sotto.example')
  expect(ownNames().filter((name) => !parsed.checkHost(name) && !parsed.checkIP(name))).toEqual([])
  expect(await selfMadeCertificate(dir)).toEqual(made)

  vi.useFakeTimers({ now: Date.parse(parsed.validTo) - 2 * DAY, toFake: ['Date'] })
  const renewed = await selfMadeCertificate(dir)
  expect(renewed.cert).not.toBe(made.cert)
  vi.useRealTimers()
  writeFileSync(files[0], made.cert)
  expect(await selfMadeCertificate(dir)).not.toEqual({ cert: made.cert, key: renewed.key })
})
