/** Secret sharing in words. */
import type { Notice } from '../notice.ts'

const network = 'Your network address, the model’s name and its public shape.'

/** As `docs/threat-model.md` has it, shorter. */
export const notice: Notice = {
  title: 'Secret sharing',
  summary: 'private; server and dealer see masked numbers alone',
  hidesTexts: true,
  promise:
    'Every number that leaves this browser is hidden by a mask that is used once and that the server doesn’t know. The ' +
    'server computes on masked numbers, the dealer only hands out masks, and the result comes together here. The model’s ' +
    'private weights stay with the server in the same way.',
  visible: {
    chat: [
      'How long your messages and the replies are, in tokens.',
      'When you chat, when you stop a reply, and how much of the conversation an edit keeps.',
      network,
    ],
    classify: [
      'How many texts you send, when, and when you stop.',
      'How long each text is, in tokens, rounded up to 16, 32, 64, 128, 256 or 512.',
      network,
    ],
  },
  limits: [
    'All parties must follow the protocol. A curious party learns nothing; one that cheats may.',
    'The server and the dealer must be run by different people who don’t pool what they hold.',
  ],
  pooled: [
    { parties: 'server + dealer', isBreach: true, learn: 'recover your text', detail: '.' },
    {
      parties: 'dealer + a user',
      isBreach: true,
      learn: 'recover the private weights',
      detail: '; the dealer can pose as a user.',
    },
    {
      parties: 'server + a user',
      isBreach: false,
      learn: 'learn nothing of other users’ words',
      detail: ', nothing beyond what that user computes.',
    },
  ],
}
