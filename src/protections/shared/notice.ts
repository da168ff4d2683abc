/** Secret sharing in words. */
import type { Notice } from '../notice.ts'

const network = 'Your network address, the model’s name and its public shape.'

/** As `docs/threat-model.md` has it, shorter. */
export const notice: Notice = {
  title: 'Secret sharing',
  summary: 'private; server and dealer see masked numbers alone',
  hidesTexts: true,
  lead: {
    chat: 'Your words are split into random-looking shares before anything leaves this browser, and a private model answers.',
    classify:
      'Texts are split into random-looking shares before anything leaves this browser. What the others do see: how many ' +
      'texts there are, and how long each one is, rounded up.',
  },
  apart:
    'Two must not work together: {server} and {dealer} could read everything if they pooled what they hold. While both ' +
    'follow the protocol and keep it to themselves, neither of them can read what is said.',
  promise:
    'Every number that leaves this browser is hidden by a mask that is used once and that the server doesn’t know. The ' +
    'server computes on masked numbers, the dealer only hands out masks, and the result comes together here. The model’s ' +
    'private weights stay with the server in the same way.',
  parties: {
    owner:
      'Holds your words, the keys and its own shares. Splits, masks, computes its half, and puts the result together.',
    server: 'Holds the private weights. Sees numbers that are uniformly random to it.',
    dealer:
      'Hands out masks before they are needed and learns how many tokens, or texts of what length, are to be computed. ' +
      'Never sees a message, masked or not, nor the weights.',
  },
  dealt: 'masks',
  afterFailure: 'Nothing was sent in the clear. A retry uses fresh masks.',
  visible: {
    chat: [
      'How long your messages and the replies are, in blocks of 8 and 16 tokens; exactly, if you choose so.',
      'When you chat, when you stop a reply, and which message you edit.',
      network,
    ],
    classify: [
      'How many texts you send, when, and when you stop.',
      'How long each text is, in tokens, rounded up to 16, 32, 64, 128, 256 or 512.',
      network,
    ],
  },
  limits: [
    'What the parties send each other is masked, but not authenticated: one that cheats can spoil a reply unseen, and may learn something by it.',
    'A user with a modified client sees more of what the model computes than this page shows, and may infer private weights from many requests.',
    'HTTPS keeps the masked numbers from everybody else on the way; together with what a dealer knows they would be your words.',
    'All parties must follow the protocol. A curious party learns nothing; one that cheats may. Audits of the dealer are by chance and by the server’s word, and leave out a part of what later turns take, and models in pieces.',
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
