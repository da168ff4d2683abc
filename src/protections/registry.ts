/** Every protection that an owner can run a model under, one line each. Browser-safe: a page's worker imports it. */
import { clear } from './clear/protection.ts'
import type { Protection } from './protection.ts'
import { shared } from './shared/protection.ts'
import { veiled } from './veiled/protection.ts'

/** In the order in which a person is offered them. */
export const protections: readonly Protection[] = [shared, veiled, clear]
