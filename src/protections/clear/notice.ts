/** No protection, in words that leave no doubt. */
import type { Notice } from '../notice.ts'

const nothing = 'Nothing leaves this device, so there is nobody to watch.'

/** Says first that nothing is hidden. */
export const notice: Notice = {
  title: 'No protection',
  summary: 'not private; the float reference, run here by someone who has the whole bundle',
  hidesTexts: false,
  lead: {
    chat: 'The whole model runs in the clear on this device, and nothing leaves it.',
    classify: 'The whole model runs in the clear on this device, and no text leaves it.',
  },
  promise:
    'None. The model is run in the clear, in floating point, on this device. That takes every weight of it, private ones ' +
    'included: it is for a model’s owner who wants to know what the private computation is to be compared with.',
  parties: { owner: 'Holds your words and the whole model, private weights included, all of it readable.' },
  afterFailure: 'Nothing was sent.',
  visible: { chat: [nothing], classify: [nothing] },
  limits: [
    'Whoever is given the whole model has its private weights.',
    'Words and labels are in this device’s memory, readable for whoever controls it.',
  ],
  pooled: [],
}
