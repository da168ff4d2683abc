/** `sotto bench readme`: the README's tables in Markdown, and what its sentences beside them say. Takes some minutes. */
import type { Products } from '../src/kernels/node/choice.ts'
import type { Cleartext } from './cleartext.ts'
import { opCases } from './ops.ts'
import { type PassOptions, passCase } from './passes.ts'
import { encoders, ops as publishedOps, sprintRoberta, steps, theirReference } from './published.ts'
import { bytes, type Result, seconds, times } from './result.ts'
import type { ShapeName, WeightVisibility } from './shapes.ts'

const row = (...cells: string[]): string => `| ${cells.join(' | ')} |`
const head = (first: string, ...rest: string[]): string =>
  `${row(first, ...rest)}\n${row('---', ...rest.map(() => '---:'))}`
const say = (...lines: string[]): void => void process.stdout.write(`${lines.join('\n')}\n`)
const number = (value: Result[string]): number => Number(value ?? 0)

/** Round trips of the emulated networks, in milliseconds. */
const [LAN, WAN] = [1, 100]

/** Seconds of ours, and how many times those of the model in the clear, run just before and after. */
const took = (r: Result, name: string): string =>
  `${seconds(number(r[name]))} (${times(number(r[name]) / number(r.cleartextSeconds))})`
/** Seconds of published systems, by the model in the clear on their machine. */
const theyTook = (value: number): string => `${seconds(value)} (${times(value / theirReference)})`

const bothWays = (r: Result): number => number(r.ownerUpBytes) + number(r.ownerDownBytes)

/** Facts of a pass, each with how it is written. */
const lines: [string, (r: Result) => string][] = [
  ['hops (sequential one-way messages)', (r) => String(r.hops)],
  ['owner to server', (r) => bytes(number(r.ownerUpBytes))],
  ['server to owner', (r) => bytes(number(r.ownerDownBytes))],
  ['dealer to server', (r) => bytes(number(r.dealerBytes))],
  ["owner's offline download, a session", (r) => bytes(number(r.ownerOfflineDownBytes))],
  ['online, three processes', (r) => took(r, 'onlineSeconds')],
  ['offline work for it, by itself', (r) => took(r, 'offlineSeconds')],
  ["online with the next pass's offline work under way", (r) => took(r, 'pipelinedSeconds')],
  ['largest error of the released hidden state', (r) => number(r.maxAbsError).toPrecision(2)],
]

/** What stands in for shapes where a run only shows that the command works. */
const smallShapes: Partial<Record<ShapeName, ShapeName>> = {
  '15m': 'tiny',
  gpt2: 'tiny',
  'bert-base': 'bert-tiny',
}
/** Positions of the smallest decoder. */
const SMALL_CONTEXT = 48

/** Measures and prints everything, one table after another; `isSmall`: of small shapes, whose figures are of no use. */
export async function readme(
  cleartext: Cleartext,
  { products, isSmall = false }: { products?: Products; isSmall?: boolean } = {},
): Promise<void> {
  const measure = (name: Parameters<typeof passCase>[0], o: Partial<PassOptions> & { shape: ShapeName }) => {
    process.stderr.write(`sotto bench: ${name} ${o.shape} …\n`)
    const shape = (isSmall && smallShapes[o.shape]) || o.shape
    const context = shape === 'tiny' ? SMALL_CONTEXT : (o.context ?? 128)
    return cleartext.beside(() =>
      passCase(name, {
        rows: context,
        visibility: 'private',
        link: 'ws',
        network: { rtt: 0 },
        repeat: 3,
        products,
        ...o,
        context,
        shape,
      }),
    )
  }
  const token = { rows: 1, warmup: 10, repeat: 9 }
  const cases: [string, Result][] = [
    ['demo model, context 128', await measure('decode', { shape: 'demo', ...token })],
    ['15 M shape, context 128', await measure('decode', { shape: '15m', ...token })],
    [
      'GPT-2 124 M shape, context 256',
      await measure('decode', { shape: 'gpt2', ...token, context: 256, warmup: 3, repeat: 5 }),
    ],
    ['demo model, prompt of 64', await measure('prefill', { shape: 'demo', context: 64, warmup: 1 })],
  ]
  const [, [, small], [, gpt2]] = cases
  say(
    `On ${gpt2.processor}; products of many rows: ${gpt2.serverProducts} (${gpt2.productsReason}).`,
    'In brackets: times what BERT-base takes in the clear (128 tokens, float32, one thread), run just before and after:',
    `${seconds(number(gpt2.cleartextSeconds))} here, ${seconds(theirReference)} where published systems were measured.`,
    '',
    head('', ...cases.map(([label]) => label)),
    ...lines.map(([name, write]) => row(name, ...cases.map(([, result]) => write(result)))),
    '',
  )
  for (const [shape, ours] of [
    ['15m', small],
    ['gpt2', gpt2],
  ] as const) {
    say(
      `${ours.case}: ${bytes(bothWays(ours))} both ways, ${bytes(number(ours.dealerBytes))} dealt, ${ours.hops} hops.`,
    )
    for (const { name, bytes: sent, rounds } of steps[shape])
      say(
        `- ${name}: ${bytes(sent)} (${times(sent / bothWays(ours))}; with what is dealt ${times(sent / (bothWays(ours) + number(ours.dealerBytes)))}), ${rounds} rounds (${times(rounds / number(ours.hops))})`,
      )
  }

  const text = (visibility: WeightVisibility, o: Partial<PassOptions>) =>
    measure('encode', { shape: 'bert-base', visibility, warmup: 1, ...o })
  const base = await text('sprint', { otherRtts: [LAN, WAN] })
  const secret = await text('private', { repeat: 1 })
  const facts = (r: Result) => [
    took(r, 'onlineSeconds'),
    took(r, 'offlineSeconds'),
    bytes(bothWays(r)),
    bytes(number(r.dealerBytes)),
    String(r.hops),
    number(r.maxAbsError).toPrecision(1),
  ]
  const overNetworks = [LAN, WAN].map((rtt) => took(base, `onlineSecondsAtRtt${rtt}`)).join(', ')
  say(
    '',
    head('', 'online', 'offline', 'both ways', 'dealt', 'hops or rounds', 'largest error'),
    row('**Sotto**, three processes', ...facts(base)),
    row(`the same over a network of ${LAN} ms, of ${WAN} ms`, overNetworks, '', '', '', '', ''),
    row('all weights private (`--visibility private`)', ...facts(secret)),
    ...encoders.map((s) =>
      row(
        s.name,
        theyTook(s.seconds),
        'in it',
        bytes(2 * s.bytes),
        'not counted',
        String(s.rounds),
        String(s.maxError ?? ''),
      ),
    ),
    '',
  )
  const [online, offline] = ['onlineSeconds', 'offlineSeconds'].map(
    (name) => number(base[name]) / number(base.cleartextSeconds),
  )
  for (const { name, seconds: theirs, bytes: sent, rounds } of encoders) {
    const clear = theirs / theirReference
    say(
      `- ${name} over ours: traffic ${times((2 * sent) / bothWays(base))}, rounds ${times(rounds / number(base.hops))}; in times of the clear, online ${times(clear / online)}, with all offline work ${times(clear / (online + offline))}`,
    )
  }
  say(
    `- SPRINT's authors: ${seconds(sprintRoberta.lanSeconds)} in a local network, ${seconds(sprintRoberta.wanSeconds)} in a wide one`,
    '',
    'Single operations, all parties in one process:',
    '',
    head('', 'online', 'offline', 'bytes a party', 'dealt', 'hops or rounds', 'largest error'),
  )
  for (const run of opCases) sayOperation(await cleartext.beside(run))
}

function sayOperation(r: Result): void {
  const sent = Math.max(number(r.ownerUpBytes), number(r.ownerDownBytes))
  const error = number(r.maxAbsError).toPrecision(2)
  const spent = [took(r, 'onlineSeconds'), took(r, 'offlineSeconds')]
  say(row(`**${r.case}**`, ...spent, bytes(sent), bytes(number(r.dealerBytes)), String(r.hops), error))
  const [kind] = r.case.split(' ')
  const weights = /(private|public) weights/.exec(r.case)
  for (const s of publishedOps[weights ? `${kind}, ${weights[0]}` : kind] ?? [])
    say(
      row(
        s.name,
        theyTook(s.seconds),
        'in it',
        bytes(s.bytes),
        '',
        String(s.rounds),
        String(s.maxError ?? ''),
      ),
    )
}
