/** `npm run bench`: the README's figures in Markdown, beside those of published systems. Takes some minutes. */
import { Cleartext } from './cleartext.ts'
import { opCases } from './ops.ts'
import { passCase } from './passes.ts'
import { encoders, ops as publishedOps, sprintRoberta, steps } from './published.ts'
import { bytes, type Result, seconds, times } from './result.ts'
import type { ShapeName } from './shapes.ts'

const row = (...cells: string[]): string => `| ${cells.join(' | ')} |`
const head = (first: string, ...rest: string[]): string =>
  `${row(first, ...rest)}\n${row('---', ...rest.map(() => '---:'))}`
const say = (...lines: string[]): void => void process.stdout.write(`${lines.join('\n')}\n`)
const number = (value: number | undefined): number => value ?? 0

/** Round trips of the emulated networks, in milliseconds. */
const LAN = 1
const WAN = 100

const cleartext = Cleartext.start()

/** Seconds, and as multiples of the cleartext model's on the same machine in the same minutes. */
const took = (r: Result, name: 'onlineSeconds' | 'offlineSeconds' | 'pipelinedSeconds'): string => {
  const value = Number(r[name])
  return `${seconds(value)} (${times(value / number(r.cleartextSeconds as number))})`
}

const encode = (shape: ShapeName, rtt = 0): Promise<Result> =>
  beside('encode', {
    shape,
    context: 128,
    rows: 128,
    visibility: 'sprint',
    link: 'ws',
    network: { rtt },
    repeat: 1,
  })

const pass = (name: 'decode' | 'prefill', shape: ShapeName, context: number, rows: number): Promise<Result> =>
  beside(name, { shape, context, rows, visibility: 'private', link: 'ws', network: { rtt: 0 }, repeat: 3 })

function beside(...of: Parameters<typeof passCase>): Promise<Result> {
  return cleartext.beside(() => passCase(...of))
}

/** Facts of a pass, each with how it is written. */
const lines: [string, (r: Result) => string][] = [
  ['hops (sequential one-way messages)', (r) => String(r.hops)],
  ['owner to server', (r) => bytes(number(r.ownerUpBytes))],
  ['server to owner', (r) => bytes(number(r.ownerDownBytes))],
  ['dealer to server', (r) => bytes(number(r.dealerBytes))],
  ["owner's offline download, a session", (r) => bytes(number(r.ownerOfflineDownBytes))],
  ['online, loopback', (r) => took(r, 'onlineSeconds')],
  ['offline, not overlapped', (r) => took(r, 'offlineSeconds')],
  ["one pass with the next one's offline work under way", (r) => took(r, 'pipelinedSeconds')],
  ['largest error of the hidden state', (r) => number(r.maxAbsError).toPrecision(2)],
  ['mean error of the hidden state', (r) => number(r.meanAbsError).toPrecision(2)],
  ["owner's peak memory, Node included", (r) => bytes(number(r.peakOwnerBytes))],
]

const cases: [string, Result][] = []
for (const [label, run] of [
  ['demo model, 1 token at 128', () => pass('decode', 'demo', 128, 1)],
  ['demo model, prompt of 64', () => pass('prefill', 'demo', 64, 64)],
  ['15 M shape, 1 token at 128', () => pass('decode', '15m', 128, 1)],
  ['GPT-2 124 M shape, 1 token at 256', () => pass('decode', 'gpt2', 256, 1)],
] as const)
  cases.push([label, await run()])

say(
  `On ${cases[0][1].processor}; products of many rows by ${cases[0][1].serverProducts}. In brackets: seconds as multiples of those`,
  'that BERT-base takes in the clear (128 tokens, float32, one thread), run just before and after on the same machine.',
  '',
  'Three processes on loopback, all blocks private; random weights of realistic scale in the 15 M and GPT-2 shapes.',
  '',
  head('', ...cases.map(([label]) => label)),
  ...lines.map(([name, write]) => row(name, ...cases.map(([, result]) => write(result)))),
  '',
  'The same decoder step in published systems, taken on another machine with two cores; both directions, without what',
  'a dealer would have to send them. Ours over theirs: "with dealer" adds the bytes of our dealer to ours.',
  '',
  head('', 'bytes', 'rounds', 'bytes: theirs over ours', 'with dealer', 'rounds: theirs over our hops'),
)
for (const [shape, at] of [
  ['15m', 2],
  ['gpt2', 3],
] as const) {
  const [label, ours] = cases[at]
  const online = number(ours.ownerUpBytes) + number(ours.ownerDownBytes)
  const all = online + number(ours.dealerBytes)
  say(
    row(
      `**Sotto**, ${label}`,
      `${bytes(online)} + ${bytes(number(ours.dealerBytes))} dealt`,
      String(ours.hops),
      '',
      '',
      '',
    ),
  )
  for (const system of steps[shape]) {
    const ratios = [
      times(system.bytes / online),
      times(system.bytes / all),
      times(system.rounds / number(ours.hops)),
    ]
    say(row(system.name, bytes(system.bytes), String(system.rounds), ...ratios))
  }
}

const [base, lan, wan] = [
  await encode('bert-base'),
  await encode('bert-base', LAN),
  await encode('bert-base', WAN),
]
say(
  '',
  'BERT-base without pooler and head on 128 tokens, a public base with private adapters; published systems as above.',
  '',
  head('', 'seconds online + offline', 'bytes both ways', 'dealer', 'rounds', 'largest error'),
)
for (const [name, r] of [
  ['loopback', base],
  [`round trip ${LAN} ms`, lan],
  [`round trip ${WAN} ms`, wan],
] as const)
  say(
    row(
      `**Sotto**, ${name}`,
      `${took(r, 'onlineSeconds')} + ${took(r, 'offlineSeconds')}`,
      bytes(number(r.ownerUpBytes) + number(r.ownerDownBytes)),
      bytes(number(r.dealerBytes)),
      String(r.hops),
      number(r.maxAbsError).toPrecision(2),
    ),
  )
for (const system of encoders)
  say(
    row(
      system.name,
      seconds(system.seconds),
      bytes(2 * system.bytes),
      '',
      String(system.rounds),
      String(system.maxError ?? ''),
    ),
  )
say(
  row('SPRINT, published, LAN', seconds(sprintRoberta.lanSeconds), '', '', '', ''),
  row('SPRINT, published, WAN', seconds(sprintRoberta.wanSeconds), '', '', '', ''),
)

say(
  '',
  'Single operations, all parties in one process; those of published systems on that other machine.',
  '',
  head('', 'seconds online + offline', 'bytes a party', 'dealer', 'rounds', 'largest error'),
)
for (const run of opCases) {
  const r = await cleartext.beside(run)
  const sent = Math.max(number(r.ownerUpBytes), number(r.ownerDownBytes))
  const both = `${took(r, 'onlineSeconds')} + ${took(r, 'offlineSeconds')}`
  const error = number(r.maxAbsError).toPrecision(2)
  say(row(`**${r.case}**`, both, bytes(sent), bytes(number(r.dealerBytes)), String(r.hops), error))
  const [kind] = r.case.split(' ')
  const weights = /(private|public) weights/.exec(r.case)
  for (const system of publishedOps[weights ? `${kind}, ${weights[0]}` : kind] ?? [])
    say(
      row(
        system.name,
        seconds(system.seconds),
        bytes(system.bytes),
        '',
        String(system.rounds),
        String(system.maxError ?? ''),
      ),
    )
}
await cleartext.stop()
