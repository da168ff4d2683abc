/** A file that cannot be read as texts; the message names the line and says what to do. */
export class TableError extends Error {
  override readonly name = 'TableError'
}
