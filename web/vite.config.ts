import { defineConfig } from 'vite'

/** The pages: strict policies allow no inline script or style, so the build makes none. */
export default defineConfig({
  root: import.meta.dirname,
  base: '/',
  resolve: {
    alias: {
      'react/jsx-runtime': 'preact/jsx-runtime',
      'react-dom/client': 'preact/compat/client',
      react: 'preact/compat',
    },
  },
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    manifest: true,
    target: 'es2022',
    // Both would put code into the page that the policy forbids or that nothing needs.
    modulePreload: false,
    assetsInlineLimit: (path) => path.endsWith('.svg'),
    rollupOptions: { input: 'checkout.html' },
  },
})
