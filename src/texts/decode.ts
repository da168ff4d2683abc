/** Bytes of a file of texts, in whatever encoding they came. */
import { detect } from 'chardet'
import { TableError } from './error.ts'

/** First bytes of files that people drop instead of the table that is in them. */
const containers: [string, string][] = [
  ['PK\x03\x04', 'an Excel workbook or another archive; open it and save the sheet as CSV'],
  ['\xd0\xcf\x11\xe0', 'an old Excel or Word file; open it and save the sheet as CSV'],
  ['%PDF', 'a PDF; copy its text and paste it'],
  ['\x1f\x8b', 'compressed; unpack it first'],
  ['7z\xbc\xaf', 'compressed; unpack it first'],
  ['\xfd7zXZ', 'compressed; unpack it first'],
  ['\x28\xb5\x2f\xfd', 'compressed; unpack it first'],
  ['SQLite format 3\0', 'a database; export a table as CSV'],
  ['\x89PNG', 'a picture'],
  ['\xff\xd8\xff', 'a picture'],
]

/** Those that begin with letters, as a table may: only among bytes that no text has are they what they seem. */
const lettered: [string, string][] = [
  ['BZh', 'compressed; unpack it first'],
  ['PAR1', 'a Parquet file; convert it to CSV or JSON lines'],
  ['ARROW1', 'an Arrow file; convert it to CSV or JSON lines'],
  ['GIF8', 'a picture'],
  ['RIFF', 'a picture, a film or a sound'],
]

/** Byte order marks, longest first: that of UTF-16LE begins that of UTF-32LE. */
const marks: [number[], string][] = [
  [[0xff, 0xfe, 0, 0], 'utf-32le'],
  [[0, 0, 0xfe, 0xff], 'utf-32be'],
  [[0xef, 0xbb, 0xbf], 'utf-8'],
  [[0xff, 0xfe], 'utf-16le'],
  [[0xfe, 0xff], 'utf-16be'],
]

export interface Decoded {
  text: string
  /** The encoding, where it is a guess that somebody should see. */
  guess?: string
}

/**
 * The text of a file: by its byte order mark; else UTF-16 where the zero bytes of ASCII stand in every other place
 * (WHATWG Encoding has no such rule, spreadsheets' "Unicode text" has no mark now and then); else UTF-8; else what the
 * frequencies of the bytes suggest. No mark is left in the text.
 * @param name how the file is called, for people.
 * @throws {TableError} for what is no text.
 */
export function decodeText(name: string, bytes: Uint8Array): Decoded {
  const head = String.fromCharCode(...bytes.subarray(0, 16))
  const isText = !bytes.subarray(0, 512).some((byte) => byte < 0x09 || (byte > 0x0d && byte < 0x20))
  const known = isText ? containers : [...containers, ...lettered]
  const container = known.find(([magic]) => head.startsWith(magic))
  if (container) throw new TableError(`${name} is ${container[1]}.`)
  const mark = marks.find(([signature]) => signature.every((byte, at) => bytes[at] === byte))
  const encoding = mark?.[1] ?? utf16Of(bytes) ?? 'utf-8'
  const text = tryDecode(encoding, bytes)
  if (text !== undefined) return { text: textual(name, text) }
  if (mark || encoding !== 'utf-8')
    throw new TableError(`${name} is damaged: it is not the ${encoding} that it says.`)
  if (bytes.includes(0)) throw notText(name)
  const guess = detect(bytes) ?? 'windows-1252'
  const guessed = tryDecode(guess, bytes)
  if (guessed === undefined)
    throw new TableError(`${name} is in an encoding that isn’t known here. Save it as UTF-8.`)
  return { text: textual(name, guessed), guess }
}

/** ASCII in UTF-16 has a zero in every other byte. */
function utf16Of(bytes: Uint8Array): string | undefined {
  const sample = bytes.subarray(0, Math.min(bytes.length & ~1, 4096))
  const zeros = [0, 0]
  sample.forEach((byte, at) => {
    if (byte === 0) zeros[at & 1]++
  })
  const most = sample.length / 2
  if (most === 0) return undefined
  // Half of the characters are enough: the separators, line ends and spaces of any script's table are ASCII.
  if (zeros[1] >= most * 0.15 && zeros[0] === 0) return 'utf-16le'
  if (zeros[0] >= most * 0.15 && zeros[1] === 0) return 'utf-16be'
  return undefined
}

/** `undefined` where the bytes are not of the encoding. */
function tryDecode(encoding: string, bytes: Uint8Array): string | undefined {
  if (encoding.startsWith('utf-32')) return decodeUtf32(bytes, encoding === 'utf-32le')
  try {
    const decoder = new TextDecoder(encoding, { fatal: true })
    const text = decoder.decode(bytes)
    return decoder.encoding === 'windows-1252'
      ? text.replace(/[\x80-\x9f]/g, (sign) => windows1252(sign))
      : text
  } catch {
    return undefined
  }
}

/** What stands in windows-1252 (WHATWG Encoding, section 9) from 0x80 on; unchanged where nothing does. */
const SIGNS = '€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ'

/** Some releases of Node decode it as ISO 8859-1, in which quotes, dashes and the euro are control characters. */
const windows1252 = (sign: string): string => SIGNS[sign.charCodeAt(0) - 0x80]

/** `TextDecoder` has no UTF-32 (WHATWG Encoding, section 4.2). */
function decodeUtf32(bytes: Uint8Array, isLittle: boolean): string | undefined {
  if (bytes.length % 4 !== 0) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const parts: string[] = []
  for (let at = 4; at < bytes.length; at += 4) {
    const point = view.getUint32(at, isLittle)
    if (point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) return undefined
    parts.push(String.fromCodePoint(point))
  }
  return parts.join('')
}

/** Text has no control characters but tabs, line ends and now and then a stray one. */
function textual(name: string, text: string): string {
  let odd = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 0) throw notText(name)
    if (code < 32 && !(code >= 9 && code <= 13)) odd++
  }
  if (odd > 8 && odd > text.length / 200) throw notText(name)
  return text
}

const notText = (name: string): TableError =>
  new TableError(`${name} holds something other than text. Save it as CSV, or as text in UTF-8.`)
