/**
 * All checks, one after another: `npm test`, or some of them: `npm test -- types style imports unit mutants browser`. The
 * last line counts them together: each test is one, and so are the checks of types, style and imports.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensureChromium } from './chromium.ts'

interface Outcome {
  passed: number
  failed: number
  skipped: number
}

const none: Outcome = { passed: 0, failed: 0, skipped: 0 }
const scratch = mkdtempSync(join(tmpdir(), 'sotto-test-'))
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }))

/** Runs a program of node_modules; its exit status. */
function run(script: string, ...args: string[]): number {
  const options = { stdio: ['ignore', 'inherit', 'inherit'] as ('ignore' | 'inherit')[] }
  return spawnSync(process.execPath, [join('node_modules', script), ...args], options).status ?? 1
}

const single = (status: number): Outcome => ({ ...none, ...(status === 0 ? { passed: 1 } : { failed: 1 }) })

function vitest(name: string, config: string): Outcome {
  const file = join(scratch, `${name}.json`)
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`]
  const status = run('vitest/vitest.mjs', 'run', '--config', config, ...reporters)
  let outcome = none
  try {
    const report = JSON.parse(readFileSync(file, 'utf8'))
    const { numPassedTests: passed, numFailedTests: failed, numPendingTests: skipped } = report
    outcome = { passed, failed, skipped }
  } catch {
    // No report: the run broke down before its tests, which counts as a failure below.
  }
  // A file that cannot be loaded, a set-up that fails: wrong without any test having failed.
  return status !== 0 && outcome.failed === 0 ? { ...outcome, failed: 1 } : outcome
}

/** Whose imports are checked. */
const FOLDERS = ['src', 'tools', 'test', 'bench', 'e2e', 'scripts']

const suites: Record<string, () => Outcome> = {
  types: () => single(run('typescript/bin/tsc', '--noEmit', '-p', '.')),
  style: () => single(run('@biomejs/biome/bin/biome', 'check', '.')),
  imports: () =>
    single(
      run('dependency-cruiser/bin/dependency-cruise.mjs', ...FOLDERS, '--config', '.dependency-cruiser.cjs'),
    ),
  unit: () => vitest('unit', 'vitest.config.ts'),
  mutants: () => vitest('mutants', 'test/mutants/vitest.config.ts'),
  browser: () => vitest('browser', 'e2e/vitest.config.ts'),
}

function main(chosen: string[]): number {
  const unknown = chosen.find((name) => !Object.hasOwn(suites, name))
  if (unknown !== undefined) {
    process.stderr.write(`There is no suite "${unknown}". There are: ${Object.keys(suites).join(', ')}.\n`)
    return 2
  }
  const names = chosen.length > 0 ? chosen : Object.keys(suites)
  const total = { ...none }
  const lines: string[] = []
  try {
    if (names.some((name) => name === 'unit' || name === 'browser'))
      process.env.CHROMIUM_PATH = ensureChromium()
    for (const name of names) {
      process.stdout.write(`\n== ${name}\n`)
      const started = performance.now()
      const { passed, failed, skipped } = suites[name]()
      total.passed += passed
      total.failed += failed
      total.skipped += skipped
      const seconds = ((performance.now() - started) / 1000).toFixed(1)
      const left = skipped > 0 ? `, ${skipped} skipped` : ''
      lines.push(`${name.padEnd(8)} ${passed} passed, ${failed} failed${left} (${seconds} s)`)
    }
  } catch (error) {
    process.stderr.write(`\n${error instanceof Error ? error.message : error}\n`)
    total.failed++
  }
  process.stdout.write(`\n${lines.join('\n')}\n\n`)
  if (total.skipped > 0) process.stdout.write(`${total.skipped} skipped\n`)
  process.stdout.write(`${total.passed} passed, ${total.failed} failed\n`)
  return total.failed > 0 ? 1 : 0
}

process.exitCode = main(process.argv.slice(2))
