/**
 * Builds the playground. `npm start` serves what `npm run prepare` has built. During development, run `npx vite --config
 * web/vite.config.ts` beside a server to see each change at once.
 */
import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const server = process.env.RENDIO_URL ?? 'http://localhost:8787';

export default defineConfig({
  root: path('playground'),
  base: '/playground/',
  plugins: [react()],
  resolve: { alias: { '@rendio/client': path('../client/src/index.ts') } },
  // Nothing inline, not even small images: the page's security policy only allows files of its own origin.
  build: { assetsInlineLimit: 0, modulePreload: { polyfill: false }, target: 'es2022', cssTarget: 'safari16' },
  server: { proxy: { '/functions': server, '/auth': server, '/storage': server } },
});
