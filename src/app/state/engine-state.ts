/** What the page knows of its engine. */
import type { ModelListing, OwnerError, Phase, SessionInfo } from '../../owner/api.ts'
import type { Stats } from '../../owner/session-stats.ts'
import type { Away } from './reachability.ts'

export interface Progress {
  phase: Phase
  /** When this phase began; ms of the page's clock. */
  since?: number
  done: number
  total: number
  text: string
}

export interface EngineState {
  /** `offer`: a large model waits for the person's consent to its download. */
  phase: 'starting' | 'offer' | 'opening' | 'open' | 'failed'
  models: ModelListing[]
  model?: ModelListing
  session?: SessionInfo
  progress?: Progress
  stats?: Stats
  notice?: string
  error?: OwnerError
  /** Who is away at the moment. */
  away?: Away
  /** Whether there has been a session since the page was opened. */
  wasOpen: boolean
}
