import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, gzip } from 'node:zlib'
import { defineConfig, type Plugin } from 'vite'

/** Puts each text of the build beside itself in `br` and `gz`: the server sends them as they are. */
function compressed(): Plugin {
  const encoders = { br: promisify(brotliCompress), gz: promisify(gzip) }
  return {
    name: 'compressed',
    apply: 'build',
    async writeBundle({ dir = '' }) {
      const files = await readdir(dir, { recursive: true, withFileTypes: true })
      const texts = files.filter(({ name }) => /\.(js|css|html|svg)$/.test(name))
      await Promise.all(
        texts.flatMap(({ parentPath, name }) =>
          Object.entries(encoders).map(async ([suffix, encode]) => {
            const path = join(parentPath, name)
            await writeFile(`${path}.${suffix}`, await encode(await readFile(path)))
          }),
        ),
      )
    },
  }
}

export default defineConfig({
  base: '/ops/',
  build: {
    // Browsers of the last two years: `light-dark()` and nested rules stay as they are.
    target: ['chrome123', 'edge123', 'firefox120', 'safari17.5'],
    // No inline images: the page's policy is simpler than an exception is worth.
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    rolldownOptions: {
      checks: { pluginTimings: false },
      // "use client" is for servers that render, of which there is none.
      onwarn(warning, warn) {
        if (warning.code !== 'MODULE_LEVEL_DIRECTIVE') warn(warning)
      },
    },
  },
  plugins: [compressed()],
  // `npm run dev`: pages from here, everything else from a push sender that runs.
  server: {
    proxy: Object.fromEntries(
      ['/ops/api', '/ops/queues'].map((path) => [
        path,
        { target: process.env.SENDER_URL ?? 'http://127.0.0.1:7002', changeOrigin: false },
      ]),
    ),
  },
})
