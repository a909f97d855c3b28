import { fileURLToPath } from 'node:url'

/** Where `npm run build` puts the pages: static files, to be served under `/ops/`. */
export const builtDirectory = fileURLToPath(new URL('dist/', import.meta.url))
