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
      rolldownOptions: { input: ['index.html', 'embed.html'] },
      target: 'es2023',
      modulePreload: { polyfill: false },
      chunkSizeWarningLimit: 600,
    },
    worker: { format: 'es' },
    server: {
      // Without this the development server would hand out any file of the checkout, private tensors included.
      fs: {
        deny: ['.env', '.env.*', '*.{crt,pem,key}', '**/.git/**', '**/public/models/**', '**/*.safetensors'],
      },
    },
  }
})
