// A private chat in React 19, which sets properties and listens to events of custom elements by itself.
// The script is included once, in the page's HTML: see docs/widget.md.
import { useRef } from 'react'

export function Help({ model }) {
  const chat = useRef(null)
  return (
    <>
      <sotto-chat
        ref={chat}
        model={model}
        accent="#7a2d5c"
        onready={() => console.log('ready')}
        onmessage={({ detail }) => console.log(`${detail.role} said something`)}
        onerror={({ detail }) => console.warn(detail.code)}
      />
      <button type="button" onClick={() => chat.current.reset()}>
        Begin anew
      </button>
    </>
  )
}
