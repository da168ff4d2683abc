/** Has the browser keep the page itself, so that what is kept can be read without a network. */
export async function keepPage(): Promise<void> {
  try {
    // Missing where the page isn't served securely; naming it throws where storage is forbidden.
    await navigator.serviceWorker?.register(new URL('service-worker.js', document.baseURI), {
      updateViaCache: 'none',
    })
  } catch {
    // Then the page needs a network, as any other.
  }
}
