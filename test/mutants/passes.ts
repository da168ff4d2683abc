/** Passes that the three parties do not agree on. */
import type { Mutant } from './mutant.ts'

const shared = 'src/protections/shared'
const binding = `${shared}/session/pass-binding.test.ts`

export const passes: readonly Mutant[] = [
  {
    name: 'the server does not look which pass its material is for',
    edits: [
      {
        file: `${shared}/session/material-stream.ts`,
        find: 'if (!equalBytes(head.slice(0, BINDING_BYTES), binding))',
        replace: 'if (!equalBytes(head.slice(0, 0), binding.subarray(BINDING_BYTES)))',
      },
    ],
    caughtBy: { file: binding, test: 'the server hears of other serials' },
  },
  {
    name: 'a pass is bound to its plan, and not to its shape',
    edits: [
      {
        file: `${shared}/session/pass-binding.ts`,
        find: 'encodeRequest(shape)',
        replace: 'encodeRequest({ ...shape, base: 0, rows: 1, serial: 0 })',
      },
    ],
    caughtBy: { file: binding, test: 'the server hears of an earlier position' },
  },
  {
    name: 'a pass is not bound to the plans’ metadata',
    edits: [
      {
        file: `${shared}/session/pass-binding.ts`,
        find: 'out.set(fromHex(await hash), request.length)',
        replace: 'out.set(fromHex(await hash).fill(0), request.length)',
      },
    ],
    caughtBy: { file: binding, test: 'a dealer with plans of other metadata' },
  },
  {
    name: 'why a session ended does not reach the owner',
    edits: [
      {
        file: `${shared}/serving.ts`,
        find: 'link.close(error.message, error.code)',
        replace: 'link.close(error.message)',
      },
    ],
    caughtBy: { file: binding, test: 'over the wires of real parties other serials at the dealer' },
  },
]
