/**
 * Which folders may import from which. Imports point one way: a folder sees those named beside it, and itself. What is not
 * named here is forbidden; `docs/architecture.md` draws it. Checked by `npm run check`; planted offences are in
 * `test/house/imports.test.ts`.
 */
const shared = 'src/protections/shared'

/** The ground that everything stands on. */
const ground = ['src/kernels', 'src/transport', 'src/handshake', 'src/model']

/** Secret sharing's own folders, from the bottom up: each sees those before it. */
const sharedFloors = [
  `${shared}/[^/]+`,
  `${shared}/correlations`,
  `${shared}/tables`,
  `${shared}/ops`,
  `${shared}/weights`,
  `${shared}/profiles`,
  `${shared}/runners`,
  `${shared}/local`,
  `${shared}/session`,
  `${shared}/scheduling`,
  `${shared}/agreement`,
  `${shared}/custody`,
  `${shared}/server`,
  `${shared}/dealer`,
]

const may = {
  'src/kernels': ['shaders'],
  'src/texts': [],
  'src/transport': [],
  'src/handshake': ['src/transport'],
  'src/model': [],
  'src/protections': ground,
  'src/owner': [...ground, 'src/protections'],
  'src/server': [...ground, 'src/protections'],
  'src/client': [...ground, 'src/protections', 'src/owner'],
  'src/proxy': ['src/transport', 'src/handshake', 'src/owner', 'src/client'],
  'src/widget': [],
  'src/app': ['src/owner', 'src/client', 'src/texts', 'src/transport', 'src/protections', 'src/widget'],
  tools: [...ground, 'src/texts', 'src/protections', 'src/owner'],
  'src/cli': [...ground, 'src/texts', 'src/protections', 'src/owner', 'src/server', 'src/client', 'src/proxy', 'tools', 'bench/command'],
  bench: [...ground, 'src/protections', 'src/owner', 'src/server', 'src/cli', 'tools', 'e2e/support', 'scripts'],
}

/** Unit tests stand beside their source and may use the scaffolding and whatever they need. */
const TESTS = '\\.test\\.ts$'
const folder = (name) => `^${name}(/|\\.ts$)`

const outwards = Object.entries(may).map(([from, to]) => ({
  name: `${from}-sees-only-what-is-below`,
  comment: `${from} may import ${to.join(', ') || 'nothing but itself'}.`,
  severity: 'error',
  from: { path: folder(from), pathNot: TESTS },
  to: { path: '^(src|tools|test|bench|e2e|scripts|shaders)/', pathNot: [from, ...to].map(folder) },
}))

module.exports = {
  forbidden: [
    {
      name: 'no-circles',
      comment: 'Type-only imports count: two files that need each other are one thing, or a third is missing.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-scaffolding-in-the-product',
      severity: 'error',
      from: { path: '^(src|tools)/', pathNot: TESTS },
      to: { path: `^test/|${TESTS}` },
    },
    {
      name: 'protections-do-not-know-each-other',
      severity: 'error',
      from: { path: '^src/protections/([^/]+)/', pathNot: TESTS },
      to: { path: '^src/protections/[^/]+/', pathNot: '^src/protections/$1/' },
    },
    {
      name: 'a-protection-is-known-by-its-door',
      comment: 'Nothing outside a protection knows a dealer, a plan or a material.',
      severity: 'error',
      from: { path: '^src/(owner|server|app|proxy|widget)/', pathNot: TESTS },
      to: { path: '^src/protections/[^/]+/' },
    },
    {
      name: 'profiles-do-not-know-each-other',
      severity: 'error',
      from: { path: `^${shared}/profiles/([^/]+)/`, pathNot: TESTS },
      to: { path: `^${shared}/profiles/[^/]+/`, pathNot: `^${shared}/profiles/$1/` },
    },
    {
      name: 'a-profile-is-known-by-its-door',
      severity: 'error',
      from: { path: '^(src|tools)/', pathNot: [`^${shared}/profiles/`, TESTS] },
      to: { path: `^${shared}/profiles/[^/]+/` },
    },
    ...outwards,
    ...sharedFloors.slice(1).map((floor, i) => ({
      name: `floor-${i + 1}-of-secret-sharing-sees-only-what-is-below`,
      severity: 'error',
      from: { path: `^${floor}/`, pathNot: TESTS },
      to: {
        path: `^${shared}/[^/]+/`,
        pathNot: sharedFloors.slice(1, i + 2).map((below) => `^${below}/`),
      },
    })),
  ],
  options: {
    parser: 'swc',
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: ['src/kernels/wasm/assembly', 'tools/veil/wasm/assembly'] },
  },
}
