import type { PlanBuilder } from '../../plan.ts'
import type { Share } from '../../values.ts'
import { addBias } from '../add-bias.ts'

/**
 * The bias of a split matrix, b = f + g + beta in pieces like the matrix itself: the owner adds f + g, the server beta.
 */
export function addSplitBias(plan: PlanBuilder, x: Share, name: string): Share {
  plan.splitBiases.push({ name, n: x.width })
  return addBias(plan, x, name, ['owner', 'server'])
}
