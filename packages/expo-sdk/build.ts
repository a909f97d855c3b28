import { spawnSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

// Makes dist/: JavaScript without comments, for ES modules and for CommonJS, each beside its
// declarations, which keep theirs. What is published has to be JavaScript: Node and Metro strip no
// types in node_modules.

const folder = fileURLToPath(new URL('.', import.meta.url))

function compile(project: string, ...options: string[]): void {
  const { status } = spawnSync('tsc', ['-p', project, ...options], {
    cwd: folder,
    stdio: 'inherit',
  })
  if (status !== 0) process.exit(1)
}

rmSync(`${folder}dist`, { recursive: true, force: true })
for (const project of ['tsconfig.esm.json', 'tsconfig.cjs.json']) {
  compile(project, '--declaration', 'false', '--removeComments')
  compile(project, '--emitDeclarationOnly')
}
writeFileSync(`${folder}dist/cjs/package.json`, '{ "type": "commonjs" }\n')
