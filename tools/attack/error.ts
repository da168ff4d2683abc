/** There is nothing in this model that could be read this way, or a measurement lacks what it needs. */
export class AttackError extends Error {
  override readonly name = 'AttackError'
}
