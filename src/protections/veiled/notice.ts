/** The veil in words. It promises little, and says so first. */
import type { Notice } from '../notice.ts'

export const counted =
  'Which words are equal, how often each comes, and in which order: as numbers of a secret vocabulary.'
export const network = 'Your network address, and when you write.'
export const recovered =
  'Whoever has text of the same kind reads most of it: in a trial 80 % of words after a hundred dialogues, and as many ' +
  'from the disguised model’s own samples, with no user at all.'

export const worth =
  'That keeps them out of the host’s logs and casual sight. It does not stop a host that works on it.'
export const forWhom =
  'For somebody who hosts an own, never published model on rented machines. The model was disguised with secret keys ' +
  'before it went there: an ordinary engine runs it at its ordinary speed, and only whoever holds a key file can make ' +
  'sense of what goes in and out at a glance.'
export const secretSharing =
  'Whoever must not be able to read your words or pictures at all needs secret sharing, which this is not.'

export const pooled = (what: 'text' | 'picture'): Notice['pooled'] => [
  {
    parties: 'server + any user with a key',
    isBreach: true,
    learn: `read every ${what} of that key`,
    detail: ', past ones included.',
  },
  {
    parties: 'server + whoever has the original model',
    isBreach: true,
    learn: `read every ${what}`,
    detail: '; nothing more is needed.',
  },
]

/** As `docs/veiled.md` has it, shorter. */
export const notice: Notice = {
  title: 'Disguised, not encrypted',
  summary: 'not private against a host that works on it; keeps prompts out of logs and casual sight',
  hidesTexts: false,
  lead: {
    chat: `Disguised, not encrypted: words leave this browser as numbers of a secret vocabulary. ${worth}`,
    classify: `Disguised, not encrypted: texts leave this browser as numbers of a secret vocabulary. ${worth}`,
  },
  promise: `${forWhom} ${recovered}`,
  parties: {
    owner:
      'Holds your words and the key file: tokenizer and secret vocabulary. Chooses each word of the reply.',
    server: 'Holds the disguised model. Sees the numbers of every word, the same number for the same word.',
  },
  afterFailure: 'What was sent was disguised, not encrypted. A retry sends the same numbers again.',
  visible: {
    chat: ['How long each message and reply is, exactly, and where a reply ends.', counted, network],
    classify: ['How many texts you send, and how long each text is, exactly.', counted, network],
  },
  limits: [
    'Never for open-weight models or their fine-tunes: with the original weights, or the embedding table alone, all text is read back.',
    recovered,
    'Any owner’s key opens every owner’s text of that key, and one dialogue known in the clear tells 60 % of words from then on.',
    secretSharing,
  ],
  pooled: pooled('text'),
}
