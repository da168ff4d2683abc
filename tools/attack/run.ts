/** A modified data owner in a real session: everything but its plans is what every owner runs. */

import { EncoderEnds } from '../../src/model/encoder-ends.ts'
import { loadBundle } from '../../src/model/files/bundle-node.ts'
import { continuesText } from '../../src/model/graph/graph-of.ts'
import type { PageConfig } from '../../src/owner/api.ts'
import { offersOf, openModel } from '../../src/owner/connect.ts'
import type { Platform } from '../../src/owner/platform.ts'
import type { Protection } from '../../src/protections/protection.ts'
import { connectShared } from '../../src/protections/shared/connect.ts'
import type { SharedConnection } from '../../src/protections/shared/connection.ts'
import { shared } from '../../src/protections/shared/protection.ts'
import { modelPlans } from '../../src/protections/shared/session/model-plan.ts'
import { type AttackReport, attack } from './attack.ts'
import { AttackError } from './error.ts'
import { NudgedPlans } from './nudged-plans.ts'

export interface AttackRun {
  /** Folder of the whole bundle; a server offers it under the folder's name. */
  readonly bundle: string
  readonly config: PageConfig
  readonly platform: Platform
  readonly queries: number
  readonly onProgress?: (queries: number, rows: number) => void
}

/** A text as short as there are: what it says does not matter. */
const TEXT = [1]
/** Input-independent work made at a time. */
const READY_ROWS = 16

/** Opens a session as a user does, and reads what it can of the last private matrix. */
export async function attackModel(run: AttackRun): Promise<AttackReport> {
  const { manifest, tensors } = await loadBundle(run.bundle)
  const { config } = manifest
  const name = run.bundle.split(/[\\/]/).filter(Boolean).at(-1)!
  if (!continuesText(config) && !modelPlans(manifest).isPrivate('head'))
    throw new AttackError('Of encoders, only those with a private head are measured.')
  let plans!: NudgedPlans
  let connection!: SharedConnection
  const modified: Protection = {
    ...shared,
    connect: async (request) => {
      connection = await connectShared(request, (served) => {
        plans = new NudgedPlans(modelPlans(served).model)
        return plans
      })
      return connection
    },
  }
  const offers = offersOf(run.config, run.platform, { protections: [modified] })
  await openModel(run.config, run.platform, { model: name }, () => undefined, offers)
  const { session, ends } = connection
  const query = async (): Promise<Float64Array> => {
    if (!(ends instanceof EncoderEnds)) {
      if (session.pool.ready === 0) await session.pool.fill(READY_ROWS)
      return (await session.run(0, ends.embed(TEXT, 0))).slice()
    }
    const { rows, padding } = ends.input({ ids: TEXT })
    return (await session.run(0, rows, { padding })).slice()
  }
  const target = plans.target().name
  const encoded = [...plans.model.encode(tensors, ['private'])]
  const truth = encoded.find(({ name }) => name === target)?.data
  if (!truth) throw new AttackError(`The bundle has no matrix '${target}'.`)
  try {
    return await attack({ ...run, plans, query, truth })
  } finally {
    await connection.close()
  }
}
