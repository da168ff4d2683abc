/** What the view on screen has sent so far, and whether it computes now, for the panel beside it. */
import { trafficIn } from '../history/conversation.ts'
import type { PartiesTraffic } from '../history/traffic.ts'
import { chat } from './chat.ts'
import { classifier } from './classify.ts'
import { engine } from './engine.ts'

/** The stores that these depend on. */
export const sources = [chat, classifier, engine] as const

export const traffic = (): PartiesTraffic =>
  engine.task === 'classify' ? classifier.state.traffic : trafficIn(chat.state.conversation)

export const isComputing = (): boolean =>
  engine.state.phase === 'open' &&
  (engine.task === 'classify' ? classifier.state.busy !== undefined : chat.state.reply !== undefined)

/** Ends whatever is being computed. */
export const stopAll = (): Promise<unknown> => Promise.all([chat.stop(), classifier.stop()])
