/**
 * Fetches a file that has the hash given, as `integrity` takes it, in a form that answers for a page, too: browsers take no
 * answer for one that came by a redirect, as hosts send it from `/index.html` to `/`. Throws where there is none, or another
 * one.
 */
export async function fetchWhole(
  address: string,
  integrity: string,
  cache: RequestCache = 'no-cache',
): Promise<Response> {
  const response = await fetch(new Request(address, { integrity, cache }))
  if (!response.ok) throw new TypeError(`${address}: status ${response.status}`)
  if (!response.redirected) return response
  const { headers, status, statusText } = response
  return new Response(await response.blob(), { headers, status, statusText })
}
