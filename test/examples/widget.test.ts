/** The widget in three frameworks: each example is compiled as its framework does it, and made a bundle of. */
import { readFileSync } from 'node:fs'
import { compileScript, compileTemplate, parse } from '@vue/compiler-sfc'
import { build, type Plugin } from 'esbuild'
import { compile } from 'svelte/compiler'
import { expect, test } from 'vitest'

const folder = 'examples/widget'

/** As `vue({ template: { compilerOptions: { isCustomElement } } })` does. Throws what the compiler has to say. */
function vue(path: string): string {
  const source = readFileSync(path, 'utf8')
  const { descriptor, errors } = parse(source, { filename: path })
  expect(errors).toEqual([])
  const isCustomElement = (tag: string) => tag.startsWith('sotto-')
  const script = compileScript(descriptor, { id: 'help' })
  const template = compileTemplate({
    id: 'help',
    filename: path,
    source: descriptor.template?.content ?? '',
    compilerOptions: { bindingMetadata: script.bindings, isCustomElement },
  })
  expect([template.errors, template.tips]).toEqual([[], []])
  // A component that Vue would look for is no element.
  expect(template.code).not.toContain('resolveComponent')
  return `${script.content}\n${template.code}`
}

/** Throws what the compiler has to say, warnings included. */
function svelte(path: string): string {
  const { js, warnings } = compile(readFileSync(path, 'utf8'), { filename: path, generate: 'client' })
  expect(warnings.map(({ message }) => message)).toEqual([])
  return js.code
}

const frameworks: Plugin = {
  name: 'frameworks',
  setup: ({ onLoad }) => {
    onLoad({ filter: /\.vue$/ }, ({ path }) => ({ contents: vue(path) }))
    onLoad({ filter: /\.svelte$/ }, ({ path }) => ({ contents: svelte(path) }))
  },
}

test.each([
  ['react.jsx', ['react', 'react/jsx-runtime']],
  ['Help.vue', ['vue']],
  ['Help.svelte', ['svelte/internal/client', 'svelte/internal/disclose-version']],
])('%s is what its framework takes, and asks for nothing else', async (name, imports) => {
  const { metafile, outputFiles, warnings } = await build({
    entryPoints: [`${folder}/${name}`],
    bundle: true,
    write: false,
    metafile: true,
    format: 'esm',
    jsx: 'automatic',
    external: ['react', 'react/*', 'vue', 'svelte/*'],
    plugins: [frameworks],
  })
  expect(warnings).toEqual([])
  const [output] = Object.values(metafile.outputs)
  const asked = new Set(output.imports.map(({ path }) => path))
  expect([...asked].filter((path) => !path.startsWith('svelte/internal/flags')).sort()).toEqual(imports)
  expect(outputFiles[0].text).toContain('sotto-chat')
})
