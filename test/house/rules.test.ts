/** Rules that neither the compiler nor the linter knows: how long files are, what may be named where, what comments say. */
import { readdirSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

interface Rule {
  readonly name: string
  /** Which files it is for. */
  readonly of: RegExp
  readonly except?: RegExp
  readonly isBroken: (text: string) => boolean
}

const product = /^(src|tools|bench)\/.*(?<!\.test)\.ts$/
const rules: readonly Rule[] = [
  {
    name: 'a file of the product has 300 lines at most',
    of: /^(src|tools|bench|scripts|examples|e2e|test\/(support|secrecy|transcripts))\/.*\.ts$/,
    except: /\.(test|generated)\.ts$/,
    isBroken: (text) => text.trimEnd().split('\n').length > 300,
  },
  {
    name: 'which architecture a model has is asked in their folder alone',
    of: product,
    except: /^src\/model\/architectures\//,
    isBroken: (text) => /\barch [!=]==|\bisEncoder\b/.test(withoutProcessors(text)),
  },
  {
    name: 'the profile of fixed point is named in its folder alone',
    of: product,
    except: /^src\/protections\/shared\/profiles\/fixed\//,
    isBroken: (text) => /'fixed'|\bFIXED\b/.test(text),
  },
  {
    name: 'a comment says what it means, instead of "the same"',
    of: /\.ts$/,
    isBroken: (text) => /(\/\*\*|\n \*|\/\/)\s+The same\b/.test(text),
  },
]

/** Processors have architectures, too. */
const withoutProcessors = (text: string): string => text.replaceAll("arch === 'x64'", '')

const files = ['src', 'tools', 'bench', 'scripts', 'examples', 'e2e', 'test']
  .flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((path) => `${folder}/${path}`),
  )
  .filter((path) => path.endsWith('.ts') && path !== 'test/house/rules.test.ts')
const sources = files.map((path) => [path, readFileSync(path, 'utf8')] as const)

const breaks = ({ of, except, isBroken }: Rule, path: string, text: string): boolean =>
  of.test(path) && !except?.test(path) && isBroken(text)

it.each(rules)('$name', (rule) => {
  expect(sources.filter(([path, text]) => breaks(rule, path, text)).map(([path]) => path)).toEqual([])
})

it('would notice', () => {
  const planted = [
    'line\n'.repeat(301),
    "if (config.arch === 'gpt2') return",
    "const profile = 'fixed'",
    '/** The same. */',
  ]
  planted.forEach((text, i) => {
    expect(rules.map((rule) => breaks(rule, 'src/server/a.ts', text))).toEqual(rules.map((_, j) => i === j))
  })
})
