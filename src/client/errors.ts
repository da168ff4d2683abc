/** What a request of a program can have wrong. */

/** A request that cannot be answered as it stands; `message` says why, `advice` what to write instead. */
export class RequestError extends Error {
  override readonly name = 'RequestError'
  readonly code: 'invalid-request' | 'unsupported'
  readonly advice: string
  /** Which part of the request, such as `messages[1].content`; absent where it is all of it. */
  readonly param?: string

  constructor(code: RequestError['code'], message: string, advice: string, param?: string) {
    super(message)
    this.code = code
    this.advice = advice
    this.param = param
  }
}
