/** Where a party is, and who runs it: a person's or an organisation's name. */
export interface PartyAddress {
  readonly url: string
  readonly operator?: string
}
