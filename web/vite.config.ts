import { join } from 'node:path'
import { defineConfig } from 'vite'

/** Builds the pages. Strict policies allow no inline script or style, so the build makes none. */
export default defineConfig({
  root: import.meta.dirname,
  base: '/',
  resolve: {
    alias: {
      // Plain Preact: its compatibility layer would be a tenth of the script.
      'react/jsx-runtime': join(import.meta.dirname, 'src/ui/jsx-runtime.ts'),
      'react-dom/client': join(import.meta.dirname, 'src/ui/preact-root.ts'),
      react: 'preact/hooks',
    },
  },
  // Tests use the same build as production: without names of files and lines in it.
  oxc: { jsx: { runtime: 'automatic', development: false } },
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    manifest: true,
    // For Chrome 90, Safari 15 and Firefox 102. Of ES2022 they lack only static blocks, which a
    // test looks for; with these browsers as targets each private member would become a WeakMap,
    // 1.2 KB in all. The compiler knows the methods of ES2021, and a test removes newer ones.
    target: 'es2022',
    // Both would add code to the page that the policy forbids or that is not needed.
    modulePreload: false,
    assetsInlineLimit: (path) => path.endsWith('.svg'),
    rollupOptions: { input: 'checkout.html' },
  },
})
