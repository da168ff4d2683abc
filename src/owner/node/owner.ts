/** The data owner's engine in a Node process. */
import type { PageConfig } from '../api.ts'
import type { Offers } from '../connect.ts'
import { Owner } from '../owner.ts'
import { nodePlatform } from './platform.ts'

/**
 * An engine that computes on this machine's processor.
 *
 * @param config where the other parties are; `{ server: '' }` where `choices.source` has whole models and none takes part
 * @param choices protections other than the registry's, models from elsewhere than the configured server
 */
export const nodeOwner = (config: PageConfig, choices: Partial<Offers> = {}): Owner =>
  new Owner(config, nodePlatform(), choices)
