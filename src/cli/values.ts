/** What options may hold: functions from the text that was typed to a value, for the declarations of options. */
import { InvalidArgumentError } from '@commander-js/extra-typings'
import { fromBase64Url, fromHex } from '../handshake/encoding.ts'
import { isOrigin } from '../server/embedders.ts'

type Read<T> = (text: string) => T

/** A whole number within bounds. */
export const whole =
  (min = 0, max = Number.MAX_SAFE_INTEGER): Read<number> =>
  (text) => {
    const value = numberOf(text)
    if (!Number.isInteger(value) || value < min || value > max)
      throw new InvalidArgumentError(`It must be a whole number${bounds(min, max)}.`)
    return value
  }

/** A finite number within bounds. */
export const real =
  (min = 0, max = Number.MAX_SAFE_INTEGER): Read<number> =>
  (text) => {
    const value = numberOf(text)
    if (!Number.isFinite(value) || value < min || value > max)
      throw new InvalidArgumentError(`It must be a number${bounds(min, max)}.`)
    return value
  }

export const port = whole(0, 65_535)

const numberOf = (text: string): number => (text.trim() === '' ? Number.NaN : Number(text))

const bounds = (min: number, max: number): string =>
  max === Number.MAX_SAFE_INTEGER ? ` from ${min}` : ` from ${min} to ${max}`

/** The 32 bytes of a party's public key, as base64url. */
export function identityKey(text: string): string {
  try {
    fromBase64Url(text, 32)
  } catch {
    throw new InvalidArgumentError(
      'It must be an identity key: 43 characters of base64url, as the other side prints it.',
    )
  }
  return text
}

/** A name that is part of a file's name. */
export const tenantName: Read<string> = (text) => {
  if (!/^[\w-]{1,64}$/.test(text))
    throw new InvalidArgumentError('It must be up to 64 letters, digits, - and _.')
  return text
}

/** A file name with one of some endings. */
export const fileEnding =
  (...endings: string[]): Read<string> =>
  (text) => {
    if (!endings.some((ending) => text.endsWith(ending)))
      throw new InvalidArgumentError(`It must end in ${endings.join(' or ')}.`)
    return text
  }

/** Lets an option be given more than once: all its values, in order. */
export const repeated =
  <T>(read: Read<T>) =>
  (text: string, before?: T[]): T[] => [...(before ?? []), read(text)]

export const text: Read<string> = (typed) => typed

/** Commas between values. */
export const list =
  <T>(read: Read<T>): Read<T[]> =>
  (typed) =>
    typed.split(',').map(read)

/** An origin of the web, as browsers write it. */
export const webOrigin: Read<string> = (text) => {
  if (!isOrigin(text))
    throw new InvalidArgumentError('It must be an origin, such as https://shop.example: no path, no star.')
  return text
}

/** What an owner draws, and an enclave's evidence has to repeat: 8 to 64 bytes. */
export const nonceBytes: Read<Uint8Array> = (text) => {
  if (!/^([0-9a-f]{2}){8,64}$/.test(text))
    throw new InvalidArgumentError('It must be 8 to 64 bytes in lower-case hexadecimal.')
  return fromHex(text)
}

/** A point in time, as ISO 8601 has it. */
export const date: Read<Date> = (text) => {
  const at = new Date(text)
  if (Number.isNaN(at.getTime()))
    throw new InvalidArgumentError('It must be a date, such as 2026-03-01T12:00Z.')
  return at
}
