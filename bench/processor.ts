/** What kind of processor the figures of a bench are from. */
import { readFileSync } from 'node:fs'
import { arch, cpus } from 'node:os'

/** Vector extensions that products use, as Linux names them, the widest last. */
const EXTENSIONS = [
  ...['sse4_1', 'avx', 'avx2', 'avx_vnni', 'avx512f', 'avx512_vnni', 'amx_int8'],
  ...['asimd', 'asimddp', 'i8mm', 'sve'],
]

/** The model's name and the vector extensions that the system tells of, such as "Intel(R) Xeon(R) (avx2, avx512_vnni)". */
export function processor(): string {
  const name = cpus()[0]?.model.trim() || arch()
  const known = EXTENSIONS.filter((name) => flags().has(name))
  return known.length > 0 ? `${name} (${known.join(', ')})` : name
}

function flags(): Set<string> {
  try {
    const text = readFileSync('/proc/cpuinfo', 'utf8')
    return new Set(/^(?:flags|Features)\s*:(.*)$/m.exec(text)?.[1].trim().split(' '))
  } catch {
    // Other systems tell no file.
    return new Set()
  }
}
