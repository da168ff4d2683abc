/** JSON of a peer, checked against a schema. */
import * as v from 'valibot'
import { SessionError } from './errors.ts'

/** Throws `SessionError` `malformed` with the place of the first mistake, never with a value. */
export function parseJson<S extends v.GenericSchema>(
  schema: S,
  json: string | Uint8Array,
  what: string,
): v.InferOutput<S> {
  let value: unknown
  try {
    value = JSON.parse(typeof json === 'string' ? json : new TextDecoder().decode(json))
  } catch {
    throw new SessionError('malformed', `${what} is not JSON.`)
  }
  return checked(schema, value, what)
}

/** Checks a value that is parsed already. Throws as `parseJson` does. */
export function checked<S extends v.GenericSchema>(
  schema: S,
  value: unknown,
  what: string,
): v.InferOutput<S> {
  const result = v.safeParse(schema, value)
  if (result.success) return result.output
  const where = v.getDotPath(result.issues[0]) ?? 'the top level'
  throw new SessionError('malformed', `${what} is wrong at ${where}.`)
}
