/** `sotto bench`: what the README's figures come from. */
import { Argument, Option } from '@commander-js/extra-typings'
import { command, type ValuesOf } from '../src/cli/command.ts'
import { usualWorkers } from '../src/cli/dealer-engine.ts'
import { Exit, UsageError } from '../src/cli/errors.ts'
import { real, whole } from '../src/cli/values.ts'
import { productChoices } from '../src/kernels/node/choice.ts'
import { profileIds } from '../src/protections/shared/profiles/lookup.ts'
import { ID as LOWBIT } from '../src/protections/shared/profiles/lowbit/id.ts'
import { columnScales } from '../src/protections/shared/profiles/lowbit/random.ts'
import { linkChoices } from '../src/transport/connect.ts'
import { againstCase } from './against.ts'
import { auditCase } from './audit.ts'
import { besideCleartext, withCleartext } from './cleartext.ts'
import { crowdCase } from './crowd.ts'
import { kernelCases } from './kernels.ts'
import { opCases } from './ops.ts'
import { type PassOptions, passCase, slopeCase } from './passes.ts'
import { readme } from './readme.ts'
import { print, type Result } from './result.ts'
import { encoderShapes, type ShapeName, shapeNames, visibilities } from './shapes.ts'
import { veilCases, veilShapes } from './veil.ts'
import { veilServingCases } from './veil-serving.ts'
import { soakCase } from './veil-soak.ts'
import { versusCase } from './versus.ts'

const kinds = [
  'ops',
  'kernels',
  'decode',
  'prefill',
  'encode',
  'audit',
  'crowd',
  'veil',
  'soak',
  'reference',
  'readme',
] as const

const declared = command('bench', 'Measure the engine.')
  .addArgument(
    new Argument(
      '<what>',
      'decode: one token; prefill: a prompt in one pass; encode: one text through an encoder without a head; audit: what audits of the dealer add; crowd: opening sessions beside others that are dealt for, and 64 owners at once; ops: single operations, in one process; kernels: arithmetic of narrow rings, beside that of 64 bits; veil: a disguised model beside the original, or disguising one; soak: owners of a disguised model who come and go for half an hour; reference: BERT-base in the clear, on one thread; readme: the tables of the README, which takes some minutes',
    ).choices(kinds),
  )
  .addOption(
    new Option(
      '--shape <name>',
      "demo: its bundle; gpt2 (124M), 15m, smollm2-135m, qwen2.5-0.5b or llama3.2-1b: random weights of a trained model's scale; tiny. encode: bert-base (12 layers, 86M), bert-mini or bert-tiny. veil: demo, which is served beside the original, or a checkpoint of 8b or 70b, which is disguised. readme: tiny, to see the command at work. The first if not given",
    ).choices([...shapeNames, ...encoderShapes, ...veilShapes]),
  )
  .option('--model <dir>', "another bundle in place of the demo's")
  .option(
    '--context <n>',
    'decode: positions that the token attends to, itself included, all of them really cached; 128, or 256 for gpt2 and the models of the hub, if not given',
    whole(2, 1024),
  )
  .option(
    '--tokens <n>',
    'prefill: of the prompt, up to 64; 64 if not given. encode: of the text, up to 512; 128 if not given. crowd: of the first message of each who arrives; 1 if not given',
    whole(1, 512),
  )
  .addOption(
    new Option(
      '--visibility <name>',
      'random shapes: private; sprint: a public base with private adapters; public',
    ).choices(visibilities),
  )
  .addOption(
    new Option(
      '--profile <name>',
      'random shapes: how numbers are represented; the first if not given',
    ).choices(profileIds()),
  )
  .addOption(
    new Option(
      '--scales <name>',
      'profile lowbit: whether the columns of one-bit weights have scales of their own, which are private; public if not given',
    ).choices(columnScales),
  )
  .addOption(
    new Option(
      '--beside <name>',
      'random shapes: measure a pass in this profile as well, in turn, and what share of it the first one takes',
    ).choices(profileIds()),
  )
  .addOption(
    new Option('--link <name>', 'how the parties connect').choices(linkChoices).default('ws' as const),
  )
  .addOption(
    new Option(
      '--products <kind>',
      'how products of many rows are made; the fastest that is exact on this machine if not given',
    ).choices(productChoices),
  )
  .addOption(
    new Option(
      '--against <kind>',
      'decode, prefill, encode: the same with products of this kind, in turn, and what the one takes of the other',
    ).choices(productChoices),
  )
  .option(
    '--workers <n>',
    "the dealer's threads that deal; 0 for its main thread",
    whole(0, 64),
    usualWorkers(),
  )
  .option(
    '--repeat <n>',
    'measurements, of which the median is reported; crowd: sessions that are opened. 15 for decode and crowd, 14 pairs for veil, else 3, if not given',
    whole(1, 1000),
  )
  .option('--minutes <n>', 'soak: how long', real(0.01), 30)
  .option('--owners <n>', 'soak: at once', whole(1, 256), 6)
  .option('--layers <n>', 'veil: of the checkpoint; 1 if not given', whole(1, 512))
  .option(
    '--warmup <n>',
    'passes before those that are measured; 15 for decode, else none, if not given: a conversation soon runs compiled code',
    whole(0, 1000),
  )
  .option('--slope', 'decode: wall time over round trips of 0, 20 and 40 ms', false)
  .option(
    '--check',
    'fail where hops or dealt bytes differ from the declared ones, or the slope by more than 10 % of the hops',
    false,
  )
  .option('--json', 'one JSON object on a line for each case', false)
  .optionsGroup('Emulated network:')
  .option('--rtt <ms>', 'round trip', real(0, 1e6), 0)
  .option('--down <mbit>', 'bandwidth towards the owner; no limit if not given', real(0, 1e6))
  .option('--up <mbit>', 'bandwidth away from the owner; no limit if not given', real(0, 1e6))
  .addHelpText(
    'after',
    `
Examples:
  sotto bench decode                          one token of the demo model
  sotto bench decode --shape gpt2 --context 256
  sotto bench decode --shape smollm2-135m --context 256 --repeat 3 --warmup 1
  sotto bench prefill --tokens 64
  sotto bench encode --shape bert-base
  sotto bench encode --shape bert-base --profile lowbit --scales private
  sotto bench encode --shape bert-base --visibility sprint --products u7s8 --against wasm
  sotto bench encode --shape bert-base --profile lowbit --beside fixed
  sotto bench decode --slope
  sotto bench crowd
  sotto bench reference
  sotto bench veil                            what a veil costs an engine, and a token over links
  sotto bench veil --shape 70b                gigabytes in the folder for temporary files
  sotto bench soak --minutes 30
  sotto bench audit --model models/sst2
  sotto bench readme > figures.md

Server, dealer and owner are processes of their own on loopback. Offline work is done before the
online clock starts; pipelinedSeconds is a pass with the next one's offline work under way.
The reference runs just before and just after each case; in brackets are seconds as multiples of its own.`,
  )

export const benchCommand = declared.action(bench)

async function bench(kind: (typeof kinds)[number], values: ValuesOf<typeof declared>): Promise<void> {
  if (kind === 'kernels') {
    for (const run of kernelCases) print(await run(), values.json)
    return
  }
  if (kind === 'ops' || kind === 'reference' || kind === 'readme') {
    await withCleartext(async (cleartext) => {
      if (kind === 'readme')
        return readme(cleartext, { products: values.products, isSmall: values.shape === 'tiny' })
      if (kind === 'reference') print(await cleartext.alone(), values.json)
      else for (const run of opCases) print(await cleartext.beside(run), values.json)
    })
    return
  }
  if (kind === 'veil') {
    if (values.shape === undefined || values.shape === 'demo') {
      const cases = veilServingCases(values.model ?? 'models/sotto-demo', values.repeat ?? 14)
      for await (const result of cases) print(result, values.json)
      return
    }
    const shape = veilShapes.find((name) => name === values.shape)
    if (!shape) throw new UsageError(`For veil, --shape is demo or one of ${veilShapes.join(', ')}.`)
    for await (const result of veilCases(shape, values.layers ?? 1)) print(result, values.json)
    return
  }
  if (kind === 'soak') {
    const { model = 'models/sotto-demo', minutes, owners } = values
    print(await soakCase({ model, minutes, owners }), values.json)
    return
  }
  if (kind === 'crowd') {
    const { model, workers } = values
    const { repeat = 15, tokens: rows = 1 } = values
    print(await crowdCase({ model, workers, repeat, rows }), values.json)
    return
  }
  if (kind === 'audit') return print(await auditCase(values.model ?? 'models/sst2'), values.json)
  const encoding = kind === 'encode'
  const names: readonly ShapeName[] = encoding ? encoderShapes : shapeNames
  const shape = names.find((name) => name === (values.shape ?? names[0]))
  if (!shape) throw new UsageError(`For ${kind}, --shape is one of ${names.join(', ')}, not ${values.shape}.`)
  const { visibility, model, link, rtt, down, up } = values
  if (visibility && (shape === 'demo' || model))
    throw new UsageError('--visibility takes a random --shape: a bundle says itself what is private.')
  const isQuantized = values.profile === LOWBIT
  if (values.scales && !isQuantized) throw new UsageError(`--scales takes --profile ${LOWBIT}.`)
  if (isQuantized && (model || visibility))
    throw new UsageError(`--profile ${LOWBIT} takes a random --shape, all of which is private.`)
  if (values.beside && (model || values.slope || values.beside === values.profile))
    throw new UsageError('--beside takes a random --shape, another profile, and no --slope.')
  const limit = shape === 'tiny' ? 48 : 1024
  const decoding = kind === 'decode'
  const most = encoding ? 512 : 64
  const rows = decoding ? 1 : (values.tokens ?? Math.min(128, most))
  const isSmall = shape === 'demo' || shape === '15m'
  const usual = shape === 'tiny' ? limit : isSmall ? 128 : 256
  const context = decoding ? (values.context ?? usual) : rows
  if (rows > most) throw new UsageError(`For ${kind}, --tokens is at most ${most}, not ${rows}.`)
  if (decoding && context > limit)
    throw new UsageError(`For ${shape}, --context is at most ${limit}, not ${context}.`)
  const scalesOf = (profile?: string) => (profile === LOWBIT ? (values.scales ?? 'public') : undefined)
  const options: PassOptions = {
    shape,
    model,
    context,
    rows,
    visibility: visibility ?? 'private',
    profile: values.profile,
    scales: scalesOf(values.profile),
    link,
    network: { rtt, down, up },
    repeat: values.repeat ?? (decoding ? 15 : 3),
    warmup: values.warmup,
    products: values.products,
    workers: values.workers,
  }
  const { against, beside } = values
  const run = () => {
    if (against) return againstCase((o) => passCase(kind, o), options, against)
    if (beside) return versusCase(kind, options, { ...options, profile: beside, scales: scalesOf(beside) })
    return decoding && values.slope ? slopeCase(options) : passCase(kind, options)
  }
  const result = await besideCleartext(run)
  print(result, values.json)
  if (values.check) check(result)
}

/** Ends with exit code 1 where a measured figure is not the declared one. */
function check(result: Result): void {
  const { hops, declaredHops, dealerBytes = 0, declaredDealerBytes = 0, withinTenPercent } = result
  const problems: string[] = []
  if (withinTenPercent === false) problems.push(`the slope is ${result.slopeHops} hops, not ${hops}`)
  if (declaredHops !== undefined && hops !== declaredHops)
    problems.push(`${hops} hops, ${declaredHops} declared`)
  const framing = dealerBytes - Number(declaredDealerBytes)
  // A key for each pass, and the headers of frames.
  if (framing < 0 || framing > 4096 + Number(declaredDealerBytes) / 1000)
    problems.push(`${dealerBytes} bytes dealt, ${declaredDealerBytes} declared`)
  for (const problem of problems) process.stderr.write(`sotto bench: ${problem}\n`)
  if (problems.length > 0) throw new Exit(1)
}
