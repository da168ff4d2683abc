/** Hands a text, or several in a row, to the person as a file. */
export function saveFile(name: string, type: string, ...texts: string[]): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(new Blob(texts, { type }))
  link.download = name
  link.click()
  // The download has its own reference by the next turn of the loop.
  setTimeout(() => URL.revokeObjectURL(link.href), 1000)
}
