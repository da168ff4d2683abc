/** A disguised model on an ordinary engine: the owner's side of the door. It is no encryption. */
import type { Protection } from '../protection.ts'
import { VEILED } from './id.ts'
import { notice } from './notice.ts'

/** For a model of one's own that nobody else has, on a machine that one does not own. */
export const veiled: Protection = {
  id: VEILED,
  notice,
  noticeOfPictures: async (withQuestions) => {
    const { noticeOfPictures, noticeOfQuestions } = await import('./picture-notice.ts')
    return withQuestions ? noticeOfQuestions : noticeOfPictures
  },
  needsServer: true,
  needsDealer: false,
  withKey: async (settings, file) => (await import('./keyring.ts')).withKit(settings, file),
  connect: async (request) => (await import('./connect.ts')).connectVeiled(request),
}
