/** Entry of the chat page. */
import './trusted-types.ts'
import './components/app.ts'
import { keepPage } from './offline/keep-page.ts'
import { engine } from './state/engine.ts'
import { begin } from './state/restoring.ts'
import { applyLanguage } from './state/settings.ts'

// Nothing is drawn in a language that nobody asked for.
void applyLanguage()
// Storage may be forbidden; the page then starts empty.
await begin().catch(() => undefined)
// What is only for later waits until the person can write.
void engine.start().finally(keepPage)
