/** What can run a veiled model, by the names of the command line. */
export const engineNames = ['onnx', 'llama'] as const
/** Without a choice it is ONNX Runtime. */
export type EngineName = (typeof engineNames)[number]
