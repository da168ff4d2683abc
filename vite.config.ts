/** Builds the chat page. The command line builds and serves it; `npx vite` serves it while developing. */
import { build, defineConfig, type Plugin } from 'vite'

/** The script that other sites include: one classic file under a name that stays, beside the page. */
const widgetLoader: Plugin = {
  name: 'widget-loader',
  apply: 'build',
  async closeBundle() {
    await build({
      configFile: false,
      logLevel: 'warn',
      publicDir: false,
      build: {
        outDir: 'dist/page',
        emptyOutDir: false,
        target: 'es2023',
        lib: {
          entry: 'src/widget/loader.ts',
          formats: ['iife'],
          name: 'sottoWidget',
          fileName: () => 'sotto-widget.js',
        },
      },
    })
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
    plugins: [widgetLoader],
    build: {
      outDir: 'dist/page',
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
