/** The veil in words. It promises little, and says so first. */
import type { Notice } from '../notice.ts'

const counted =
  'Which words are equal, how often each comes, and in which order: as numbers of a secret vocabulary.'
const network = 'Your network address, and when you write.'
const recovered =
  'Whoever has text of the same kind reads most of it: in a trial 80 % of words after a hundred dialogues, and as many ' +
  'from the disguised model’s own samples, with no user at all.'

/** As `docs/veiled.md` has it, shorter. */
export const notice: Notice = {
  title: 'Disguised, not encrypted',
  summary: 'not private against a host that works on it; keeps prompts out of logs and casual sight',
  hidesTexts: false,
  lead: {
    chat:
      'Disguised, not encrypted: words leave this browser as numbers of a secret vocabulary. That keeps them out of the ' +
      'host’s logs and casual sight. It does not stop a host that works on it.',
    classify:
      'Disguised, not encrypted: texts leave this browser as numbers of a secret vocabulary, pictures as patches that are mixed and reordered. That keeps them out of the ' +
      'host’s logs and casual sight. It does not stop a host that works on it.',
  },
  promise:
    'For somebody who hosts an own, never published model on rented machines. The model was disguised with secret keys ' +
    'before it went there: an ordinary engine runs it at its ordinary speed, and only whoever holds a key file can make ' +
    `sense of what goes in and out at a glance. ${recovered}`,
  parties: {
    owner:
      'Holds your words and the key file: tokenizer and secret vocabulary. Chooses each word of the reply.',
    server: 'Holds the disguised model. Sees the numbers of every word, the same number for the same word.',
  },
  afterFailure: 'What was sent was disguised, not encrypted. A retry sends the same numbers again.',
  visible: {
    chat: ['How long each message and reply is, exactly, and where a reply ends.', counted, network],
    classify: ['How many texts or pictures you send, and how long each text is, exactly.', counted, network],
  },
  limits: [
    'Never for open-weight models or their fine-tunes: with the original weights, or the embedding table alone, all text is read back.',
    recovered,
    'Pictures: a host with public ones of the same kind rebuilds them so that they can be recognised (correlation 0.96, garments).',
    'Any owner’s key opens every owner’s text of that key, and one dialogue known in the clear tells 60 % of words from then on.',
    'Whoever must not be able to read your texts at all needs secret sharing, which this is not.',
  ],
  pooled: [
    {
      parties: 'server + any user with a key',
      isBreach: true,
      learn: 'read every text of that key',
      detail: ', past ones included.',
    },
    {
      parties: 'server + whoever has the original model',
      isBreach: true,
      learn: 'read every text',
      detail: '; nothing more is needed.',
    },
  ],
}
