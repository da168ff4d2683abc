/** `sotto-widget.js`: the elements that a page can use. It loads nothing by itself. */
import { defineChat } from './chat-element.ts'
import { defineClassify } from './classify-element.ts'

const { currentScript } = document
if (currentScript instanceof HTMLScriptElement && !customElements.get('sotto-chat')) {
  // The frames are on the origin that this script came from, whatever page it is in.
  const base = new URL('.', currentScript.src).href
  defineChat(base)
  defineClassify(base)
}
