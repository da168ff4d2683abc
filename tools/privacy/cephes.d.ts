/** The functions in use of Moshier's Cephes library, as WebAssembly; the package's own types don't reach importers of ES modules. */
declare module 'cephes' {
  /** Settles when the functions can be called. */
  export const compiled: Promise<void>
  /** Complementary error function. */
  export function erfc(x: number): number
  /** Standard normal distribution function. */
  export function ndtr(x: number): number
  /** The x in [0, 1] where the regularised incomplete beta function I_x(a, b) is y. */
  export function incbi(a: number, b: number, y: number): number
  /** The chance that chi-square with `degrees` of freedom exceeds x. */
  export function chdtrc(degrees: number, x: number): number
  /** log |Gamma(x)|. */
  export function lgam(x: number): number
}
