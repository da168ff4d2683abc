import addRing from '../../../shaders/add_ring.wgsl?raw'
import chacha20 from '../../../shaders/chacha20.wgsl?raw'
import matmul16 from '../../../shaders/matmul16.wgsl?raw'
import matmul32 from '../../../shaders/matmul32.wgsl?raw'
import matmul64 from '../../../shaders/matmul64.wgsl?raw'
import { KernelError } from '../error.ts'

/** A shader and the override constants that make one kernel of it. */
interface Variant {
  code: string
  constants: Record<string, number>
}

/** Every kernel by name; the number is the width in bits that an element takes in its main buffer. */
const KERNELS = {
  chacha16: { code: chacha20, constants: { WIDTH: 16 } },
  chacha32: { code: chacha20, constants: { WIDTH: 32 } },
  chacha64: { code: chacha20, constants: { WIDTH: 64 } },
  matmul16: { code: matmul16, constants: {} },
  matmul32: { code: matmul32, constants: {} },
  matmul64: { code: matmul64, constants: {} },
  add32: { code: addRing, constants: { LIMBS: 1 } },
  add64: { code: addRing, constants: { LIMBS: 2 } },
} satisfies Record<string, Variant>

/** A pipeline: a shader, and the constants that it is compiled with. */
export type KernelName = keyof typeof KERNELS

/**
 * All pipelines of a device, compiled once, in parallel.
 * @throws KernelError naming a kernel that the driver refuses.
 */
export async function compilePipelines(device: GPUDevice): Promise<Record<KernelName, GPUComputePipeline>> {
  const modules = new Map<string, GPUShaderModule>()
  const compile = async ([name, { code, constants }]: [string, Variant]) => {
    const module = modules.get(code) ?? device.createShaderModule({ label: name, code })
    modules.set(code, module)
    const compute = { module, entryPoint: 'main', constants }
    const made = device.createComputePipelineAsync({ label: name, layout: 'auto', compute })
    const pipeline = await made.catch(async (cause) => {
      const { messages } = await module.getCompilationInfo()
      const said =
        messages.map(({ lineNum, message }) => `line ${lineNum}: ${message}`).join('; ') || cause.message
      throw new KernelError(`GPU kernel ${name} does not compile: ${said}`, { cause })
    })
    return [name, pipeline] as const
  }
  return Object.fromEntries(await Promise.all(Object.entries(KERNELS).map(compile))) as Record<
    KernelName,
    GPUComputePipeline
  >
}
