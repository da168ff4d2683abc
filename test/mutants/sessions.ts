/** Sessions that anybody could pass for. */
import type { Mutant } from './mutant.ts'

const shared = 'src/protections/shared'
const refusals = `${shared}/agreement/refusals.test.ts`
const signatures = `${shared}/agreement/signatures.test.ts`

export const sessions: readonly Mutant[] = [
  {
    name: 'the transcript lacks the plan',
    edits: [{ file: `${shared}/agreement/transcript.ts`, find: '      t.planHash,\n', replace: '' }],
    caughtBy: {
      file: `${shared}/agreement/transcript.test.ts`,
      test: 'a session is bound to every field of its transcript',
    },
  },
  {
    name: 'what the server signs lacks the seed of the stationary masks',
    edits: [
      {
        file: `${shared}/agreement/transcript.ts`,
        find: "joinFields(['sotto server welcome', transcript, fSeed])",
        replace: "joinFields(['sotto server welcome', transcript, fSeed.subarray(32)])",
      },
    ],
    caughtBy: { file: signatures, test: 'what the server greets with is refused with another seed' },
  },
  {
    name: 'the dealer’s signature is not checked',
    edits: [
      {
        file: `${shared}/agreement/agreement.ts`,
        find: '(await verify(dealerKey, answer.signature, signedBytes.dealerAnswer(transcript)))',
        replace: 'transcript.length > 0',
      },
    ],
    caughtBy: {
      file: signatures,
      test: 'what the dealer answers is refused with a key of the man in the middle',
    },
  },
  {
    name: 'the server’s signature is not checked',
    edits: [
      {
        file: `${shared}/agreement/agreement.ts`,
        find: "if (!(await verify(readKey(serverKey, 'server'), answer.signature, signed))) {",
        replace: 'if (signed.length === 0) {',
      },
    ],
    caughtBy: { file: signatures, test: 'what the server greets with is refused with another signature' },
  },
  {
    name: 'the dealer does not check who the server is',
    edits: [
      {
        file: `${shared}/agreement/material-handshake.ts`,
        find: 'if (!(await verify(serverKey, bytes(auth.signature, 64), signed))) {',
        replace: 'if (!auth || signed.length === 0) {',
      },
    ],
    caughtBy: { file: signatures, test: 'server and dealer find out who only claims to be the server' },
  },
  {
    name: 'the MAC of a pass request is not checked',
    edits: [
      {
        file: `${shared}/agreement/pass-request.ts`,
        find: 'if (!(await mac.check(covered(sessionId, pass, body), tag))) {',
        replace: 'if (!tag) {',
      },
    ],
    caughtBy: { file: refusals, test: 'pass requests every altered, cut or foreign request is refused' },
  },
  {
    name: 'the MAC of a pass request leaves its number out',
    edits: [
      {
        file: `${shared}/agreement/pass-request.ts`,
        find: "joinFields(['sotto pass request', sessionId, String(pass), body])",
        replace: "joinFields(['sotto pass request', sessionId, String(pass >= 0), body])",
      },
    ],
    caughtBy: { file: refusals, test: 'pass requests every altered, cut or foreign request is refused' },
  },
]
