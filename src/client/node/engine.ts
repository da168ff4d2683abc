/** Engines in Node: in this thread, on this machine's processor. */
import type { OwnerApi, PageConfig } from '../../owner/api.ts'
import { nodeOwner } from '../../owner/node/owner.ts'

/** A data owner's engine that talks to the given parties. */
export const makeOwner = (config: PageConfig): OwnerApi => nodeOwner(config)
