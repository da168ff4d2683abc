/** The veil in words, of models that read pictures. Loaded where one is listed. */
import type { Notice } from '../notice.ts'
import { counted, forWhom, network, notice, pooled, recovered, secretSharing, worth } from './notice.ts'

const rebuilt =
  'A host with public pictures of the same kind rebuilds yours so that they can be recognised: in a trial with garments, ' +
  'with a correlation of 0.96.'

const alike = 'How many pictures you send, and which are alike.'

/** As `docs/pictures.md` has it, shorter. */
export const noticeOfPictures: Notice = {
  ...notice,
  lead: {
    chat: `Disguised, not encrypted: pictures leave this browser as patches that are mixed and reordered. ${worth}`,
    classify: `Disguised, not encrypted: pictures leave this browser as patches that are mixed and reordered. ${worth}`,
  },
  promise: `${forWhom} ${rebuilt}`,
  parties: {
    owner: 'Holds your pictures and the key file: how patches are mixed and reordered. Reads the labels.',
    server: 'Holds the disguised model. Sees mixed patches, mixed in the same way every time.',
  },
  afterFailure: 'What was sent was disguised, not encrypted. A retry sends the same patches again.',
  visible: {
    chat: [alike, network],
    classify: [alike, network],
  },
  limits: [
    'Never for open-weight models or their fine-tunes: with the original weights all pictures are rebuilt.',
    rebuilt,
    'Any owner’s key opens every owner’s pictures of that key.',
    secretSharing,
  ],
  pooled: pooled('picture'),
}

const leadOfQuestions =
  'Disguised, not encrypted: pictures leave this browser as patches that are mixed, each in its place, and questions as ' +
  `numbers of a secret vocabulary. ${worth}`

/** The same of models that answer questions on pictures: their patches keep their order. */
export const noticeOfQuestions: Notice = {
  ...noticeOfPictures,
  lead: { chat: leadOfQuestions, classify: leadOfQuestions },
  parties: {
    owner:
      'Holds your pictures, your questions and the key file: how patches are mixed, tokenizer and secret vocabulary. Chooses ' +
      'each word of the answer.',
    server:
      'Holds the disguised model. Sees mixed patches, mixed in the same way every time, and the numbers of every word, the ' +
      'same number for the same word.',
  },
  afterFailure:
    'What was sent was disguised, not encrypted. A retry sends the same patches and numbers again.',
  visible: {
    chat: [alike, counted, network],
    classify: [alike, counted, network],
  },
  limits: [
    'Never for open-weight models or their fine-tunes: with the original weights all pictures and texts are read back.',
    rebuilt,
    recovered,
    'Any owner’s key opens every owner’s pictures and texts of that key.',
    secretSharing,
  ],
}
