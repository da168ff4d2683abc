// What the page hears of the chats in it: that something was said, and not what.
const heard = document.querySelector('output')

for (const chat of document.querySelectorAll('sotto-chat'))
  for (const type of ['ready', 'message', 'error'])
    chat.addEventListener(type, ({ detail }) => {
      heard.append(`${chat.id} ${type} ${JSON.stringify(detail)}\n`)
    })

document.querySelector('form').addEventListener('submit', (event) => {
  if (event.defaultPrevented) return
  // A real shop would send it to its own server.
  event.preventDefault()
  heard.append(`sent ${JSON.stringify(Object.fromEntries(new FormData(event.target)))}\n`)
})
