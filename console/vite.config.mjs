import {defineConfig} from 'vite';

export default defineConfig({
  base: '/console/',
  esbuild: {jsx: 'automatic', jsxImportSource: 'preact', legalComments: 'none'},
  build: {target: 'es2022', assetsInlineLimit: 0, modulePreload: {polyfill: false}},
  server: {proxy: {'/v1': process.env.PODIUM ?? 'http://127.0.0.1:8080'}},
});
