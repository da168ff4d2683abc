/** Entry of the views that other sites embed. */
import '../trusted-types.ts'
import { fitting, languageReady, speak } from '../language.ts'
import './texts.ts'
import './chat-view.ts'
import './classify-view.ts'

const view = new URLSearchParams(location.search).get('view') === 'classify' ? 'classify' : 'chat'
void speak(fitting(navigator.languages))
// Nothing is agreed to in words that are not there yet.
await languageReady()
document.body.append(document.createElement(`sotto-embedded-${view}`))
