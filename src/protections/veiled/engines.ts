/** What can run a veiled model, by the names of the command line. */
export const engineNames = ['onnx'] as const
/** Without a choice it is what takes the model. */
export type EngineName = (typeof engineNames)[number]
