/** Entry of the views that other sites embed. */
import '../trusted-types.ts'
import './chat-view.ts'
import './classify-view.ts'

const view = new URLSearchParams(location.search).get('view') === 'classify' ? 'classify' : 'chat'
document.body.append(document.createElement(`sotto-embedded-${view}`))
