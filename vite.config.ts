/** Builds the chat page. The command line builds and serves it; `npx vite` serves it while developing. */
import { defineConfig, type Plugin } from 'vite'
import { buildScript, finish } from './scripts/page/finish.ts'

const outDir = 'dist/page'

/** The script that other sites include. */
const widgetLoader: Plugin = {
  name: 'widget-loader',
  apply: 'build',
  async closeBundle() {
    await buildScript(outDir, 'src/widget/loader.ts', 'sotto-widget')
  },
}

/** Comments of shaders are for us. */
const bareShaders: Plugin = {
  name: 'bare-shaders',
  apply: 'build',
  transform(code, id) {
    if (!id.endsWith('.wgsl?raw')) return undefined
    const bare = code.replace(/\\n(?:\s|\\n|\/\/.*?(?=\\n))*/g, '\\n')
    return { code: bare, map: null }
  },
}

export default defineConfig(({ command }) => {
  // A test runner's environment must not decide which flavour of its dependencies the page gets.
  if (command === 'build') process.env.NODE_ENV = 'production'
  return {
    // Addresses relative to the page, so that it works under any path.
    base: './',
    // Only this folder is copied next to the page. The model bundles live beside it and hold private tensors: they are
    // served, where public, by the model server alone.
    publicDir: 'public/page',
    plugins: [widgetLoader, finish(outDir)],
    build: {
      outDir,
      rolldownOptions: {
        input: ['index.html', 'embed.html'],
        // What the chat shares with views that are loaded later is loaded with it: in one piece it packs best.
        output: {
          codeSplitting: {
            groups: [
              {
                name: 'page',
                test: /src.(app.(?!state.(export|markdown-file))|owner|client|transport)|node_modules.(lit|@lit)/,
                minShareCount: 2,
              },
            ],
          },
        },
      },
      target: 'es2023',
      modulePreload: { polyfill: false },
      chunkSizeWarningLimit: 600,
    },
    worker: { format: 'es', plugins: () => [bareShaders] },
    server: {
      // Without this the development server would hand out any file of the checkout, private tensors included.
      fs: {
        deny: ['.env', '.env.*', '*.{crt,pem,key}', '**/.git/**', '**/public/models/**', '**/*.safetensors'],
      },
    },
  }
})
