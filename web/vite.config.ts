import { join } from 'node:path'
import { defineConfig } from 'vite'

/** The pages: strict policies allow no inline script or style, so the build makes none. */
export default defineConfig({
  root: import.meta.dirname,
  base: '/',
  resolve: {
    alias: {
      // The pages keep to what Preact itself has: its compatibility layer would be a tenth of the script.
      'react/jsx-runtime': join(import.meta.dirname, 'src/ui/jsx-runtime.ts'),
      'react-dom/client': join(import.meta.dirname, 'src/ui/preact-root.ts'),
      react: 'preact/hooks',
    },
  },
  // What is built beside tests is what is served: no names of files and lines in it.
  oxc: { jsx: { runtime: 'automatic', development: false } },
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    manifest: true,
    // For Chrome 90, Safari 15 and Firefox 102. Of ES2022 they lack static blocks alone, which a test looks
    // for; named as targets they would have each private member made a WeakMap, 1.2 KB in all. Of methods
    // the compiler knows those of ES2021, and a test takes newer ones away.
    target: 'es2022',
    // Both would put code into the page that the policy forbids or that nothing needs.
    modulePreload: false,
    assetsInlineLimit: (path) => path.endsWith('.svg'),
    rollupOptions: { input: 'checkout.html' },
  },
})
