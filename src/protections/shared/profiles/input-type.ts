/** What the owner's input to a plan is: columns of a row, their ring Z_2^ring and fraction bits. */
export interface InputType {
  readonly width: number
  readonly ring: number
  readonly frac: number
}
