/** What built scripts import as they are loaded, as opposed to when something is done. */
const STATIC = /(?:\bfrom|\bimport)\s*["'`]\.\/([^"'`]+\.js)["'`]/g

/**
 * Scripts with all that they import at once, and what those import.
 * @param textOf a script's text by its name; all lie in one folder
 */
export function withImports(
  names: Iterable<string>,
  textOf: (name: string) => string,
  found = new Set<string>(),
): Set<string> {
  for (const name of names) {
    if (found.has(name)) continue
    found.add(name)
    const imported = [...textOf(name).matchAll(STATIC)].map(([, other]) => other)
    withImports(imported, textOf, found)
  }
  return found
}
