/** Entry of the chat page. */
import './parts/app.ts'
import { chat } from './state/chat.ts'
import { engine } from './state/engine.ts'

// Storage may be forbidden; the page then starts empty.
await chat.restore().catch(() => undefined)
engine.start()
