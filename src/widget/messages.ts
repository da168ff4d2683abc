/** What a page and the private frame in it tell each other, over a port that only the two of them have. */

/** The first and only message between windows: it brings the port. */
export const HELLO = 'sotto-widget-1'

/** Colours and shape that a page may choose; each is checked where it is used. */
export interface Look {
  theme?: string
  accent?: string
  radius?: string
}

/** From the page. */
export type HostMessage =
  | { type: 'look'; look: Look }
  | { type: 'reset' }
  | { type: 'classify'; id: number; text: string }

/** From the frame. `content` is there where the frame's own site has granted it to the page. */
export type FrameMessage =
  | { type: 'ready' }
  | { type: 'message'; role: 'user' | 'assistant'; content?: string }
  | { type: 'error'; code: string }
  | { type: 'close' }
  | { type: 'classified'; id: number; label?: string; probability?: number }
