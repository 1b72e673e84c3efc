import { defineConfig } from 'vite';

/** The dashboard: built into `dist/demo`, from where the service serves it. */
export default defineConfig({
  root: import.meta.dirname,
  // The page may be served below a path.
  base: './',
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact' },
  build: {
    outDir: '../dist/demo',
    emptyOutDir: true,
    target: 'es2022',
    // Nothing inline: the page's policy allows none of it.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  // `npx vite demo` beside a running service.
  server: {
    proxy: { '/v1': { target: 'http://127.0.0.1:7878', ws: true }, '/metrics': 'http://127.0.0.1:7878' },
  },
});
