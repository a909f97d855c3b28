#!/usr/bin/env node
// Plain JavaScript: an older Node can read it, and hands over to the Node 24 of node_modules.
import { spawnSync } from 'node:child_process'
import module from 'node:module'
import { fileURLToPath } from 'node:url'

const pathOf = (relative) => fileURLToPath(new URL(relative, import.meta.url))
const cli = pathOf('../src/cli.ts')
// What was compiled once is kept, which makes the start shorter. Where the folder cannot be written, the
// command starts as ever.
const compiled = pathOf('../../../node_modules/.cache/pushkeep')
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)

if (major > 24 || (major === 24 && minor >= 12)) {
  module.enableCompileCache(compiled)
  await import(cli)
} else {
  const node = pathOf('../../../node_modules/.bin/node')
  const { status, error } = spawnSync(node, [cli, ...process.argv.slice(2)], {
    stdio: 'inherit',
    env: { ...process.env, NODE_COMPILE_CACHE: compiled },
  })
  if (error) console.error(`pushkeep: Node 24.12 or newer is needed: ${error.message}`)
  process.exitCode = status ?? 1
}
