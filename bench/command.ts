/** `sotto bench`: what the README's figures come from. */
import { choiceOption, Exit, numberOption, parse, UsageError } from '../src/cli/args.ts'
import { productChoices } from '../src/kernels/node/choice.ts'
import { linkChoices } from '../src/transport/connect.ts'
import { Cleartext } from './cleartext.ts'
import { opCases } from './ops.ts'
import { type PassOptions, passCase, slopeCase } from './passes.ts'
import { print, type Result } from './result.ts'
import { encoderShapes, shapeNames, visibilities } from './shapes.ts'

const help = `
sotto bench: measure the engine; one JSON object for each case with --json

  sotto bench decode                          one token of the demo model
  sotto bench decode --shape gpt2 --context 256
  sotto bench prefill --tokens 64             a prompt in one pass
  sotto bench encode --shape bert-base        one text through an encoder without a head
  sotto bench decode --slope                  wall time over round trips of 0, 20 and 40 ms
  sotto bench ops                             single operations, in one process
  sotto bench reference                       BERT-base in the clear on one thread

  --shape NAME       demo (its bundle), gpt2 (124M) or 15m (random weights of a trained model's
                     scale), tiny
  --model DIR        another bundle in place of the demo's
  --context N        decode: positions that the token attends to, itself included
                     (128; gpt2: 256). All of them are really cached
  --tokens N         prefill: tokens of the prompt, up to 64 (64); encode: of the text, up to 512 (128)
                     encode: bert-base (12 layers, 86M) or bert-tiny
  --visibility NAME  random shapes: private; sprint (a public base with private adapters); public
  --profile NAME     fixed
  --rtt MS           emulated network: round trip,
  --down MBIT        bandwidth towards the owner,
  --up MBIT          and away from it
  --link NAME        ws, webrtc or fetch (ws)
  --products KIND    how products of many rows are made: u8s8, u7s8, s8s8, float64 or wasm
                     (the fastest that is exact on this machine)
  --repeat N         measurements, of which the median is reported (5; prefill 3)
  --slope            decode: print the slope; with --check, fail beyond 10 % of the declared hops
  --check            fail where hops or dealt bytes differ from the declared ones
  --json             one JSON object on a line for each case
  --help             this text

Server, dealer and owner are processes of their own on loopback. Offline work is done before the
online clock starts; pipelinedSeconds is a pass with the next one's offline work under way.
The reference runs just before and after each case; seconds are given as multiples of its own, too.
`

export async function benchCommand(argv: string[]): Promise<void> {
  const { values, positionals } = parse(
    argv,
    help,
    {
      shape: { type: 'string' },
      model: { type: 'string' },
      context: { type: 'string' },
      tokens: { type: 'string' },
      visibility: { type: 'string' },
      profile: { type: 'string', default: 'fixed' },
      rtt: { type: 'string' },
      down: { type: 'string' },
      up: { type: 'string' },
      link: { type: 'string', default: 'ws' },
      repeat: { type: 'string' },
      products: { type: 'string' },
      slope: { type: 'boolean', default: false },
      check: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
    1,
  )
  const kind = choiceOption('what', positionals[0], [
    'ops',
    'decode',
    'prefill',
    'encode',
    'reference',
  ] as const)
  if (!kind) throw new UsageError('Which bench: ops, decode, prefill, encode or reference? See --help.')
  if (kind === 'ops' || kind === 'reference') {
    await withCleartext(async (cleartext) => {
      if (kind === 'reference') print(await cleartext.alone(), values.json)
      else for (const run of opCases) print(await cleartext.beside(run), values.json)
    })
    return
  }
  choiceOption('profile', values.profile, ['fixed'] as const)
  const encoding = kind === 'encode'
  const shape = encoding
    ? (choiceOption('shape', values.shape, encoderShapes) ?? 'bert-base')
    : (choiceOption('shape', values.shape, shapeNames) ?? 'demo')
  const visibility = choiceOption('visibility', values.visibility, visibilities)
  if (visibility && (shape === 'demo' || values.model))
    throw new UsageError('--visibility takes a random --shape: a bundle says itself what is private.')
  const limit = shape === 'tiny' ? 48 : 1024
  const decoding = kind === 'decode'
  const most = encoding ? 512 : 64
  const rows = decoding
    ? 1
    : (numberOption('tokens', values.tokens, { min: 1, max: most }) ?? Math.min(128, most))
  const usual = shape === 'gpt2' ? 256 : shape === 'tiny' ? limit : 128
  const context = decoding ? (numberOption('context', values.context, { min: 2, max: limit }) ?? usual) : rows
  const real = (name: 'rtt' | 'down' | 'up') => numberOption(name, values[name], { integer: false, max: 1e6 })
  const options: PassOptions = {
    shape,
    model: values.model,
    context,
    rows,
    visibility: visibility ?? 'private',
    link: choiceOption('link', values.link, linkChoices)!,
    network: { rtt: real('rtt') ?? 0, down: real('down'), up: real('up') },
    repeat: numberOption('repeat', values.repeat, { min: 1, max: 1000 }) ?? (decoding ? 5 : 3),
    products: choiceOption('products', values.products, productChoices),
  }
  const run = () => (decoding && values.slope ? slopeCase(options) : passCase(kind, options))
  const result = await withCleartext((cleartext) => cleartext.beside(run))
  print(result, values.json)
  if (values.check) check(result)
}

async function withCleartext<T>(body: (cleartext: Cleartext) => Promise<T>): Promise<T> {
  const cleartext = Cleartext.start()
  try {
    return await body(cleartext)
  } finally {
    await cleartext.stop()
  }
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
