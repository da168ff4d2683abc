/** Entry of the chat page. */
import './components/app.ts'
import { engine } from './state/engine.ts'
import { formatter } from './state/formatter.ts'
import { begin } from './state/restoring.ts'

// Storage may be forbidden; the page then starts empty.
await begin().catch(() => undefined)
engine.start()
// A page that has been redeployed since may no longer find it; see Formatter.
formatter.load().catch(() => undefined)
