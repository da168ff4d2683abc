/** How a request for vectors ends that was stopped. */
import { OwnerError } from './api.ts'

/** Some of the vectors are of no use: whoever stops gets none. */
export const givenUp = (cause?: unknown): OwnerError =>
  new OwnerError('cancelled', 'The texts were given up.', 'Send them again.', { cause })
