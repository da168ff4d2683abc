// biome-ignore-all assist/source/organizeImports: in the order of the page that is made of it
/**
 * Inside secret sharing, for whoever evaluates it, or computes with shares: all parties in one process, the oracle, and
 * the float reference that both are compared with. Whoever runs it holds both sides: nothing here protects anybody.
 */

// All parties in one process
export { LocalParties, type LocalOptions, type PassTrace } from './local/local-parties.ts'
export { randomKeys, type LocalKeys } from './local/keys.ts'

// Plans
export { modelPlans, type ModelPlans } from './session/model-plan.ts'
export type { Plan } from './plan.ts'
export { profiles } from './profiles/registry.ts'
export type { Profile, ProfiledModel } from './profiles/profile.ts'

// What the owner computes itself, and the float reference
export { Ends } from '../../model/ends.ts'
export { EncoderEnds } from '../../model/encoder-ends.ts'
export { floatModel, type FloatModel } from '../../model/graph/decoder-model.ts'
export { encoderModel, type EncoderModel } from '../../model/graph/encoder-model.ts'
