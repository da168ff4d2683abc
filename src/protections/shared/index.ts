/**
 * Inside secret sharing, for whoever evaluates it, or computes with shares: all parties in one process, the oracle, and
 * the float reference that both are compared with. Whoever runs it holds both sides: nothing here protects anybody.
 */

// What the owner computes itself, and the float reference
export { encoderModel } from '../../model/architectures/encoder.ts'
export type { FloatModel } from '../../model/architectures/float-model.ts'
export { floatModel } from '../../model/architectures/reference.ts'
export { EncoderEnds } from '../../model/encoder-ends.ts'
export { Ends } from '../../model/ends.ts'
// All parties in one process
export { type LocalKeys, randomKeys } from './local/keys.ts'
export { type LocalOptions, LocalParties, type PassTrace } from './local/local-parties.ts'
// Plans
export type { Plan } from './plan.ts'
export type { Profile, ProfiledModel } from './profiles/profile.ts'
export { profiles } from './profiles/registry.ts'
export { type ModelPlans, modelPlans } from './session/model-plan.ts'
