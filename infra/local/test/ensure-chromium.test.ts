import { spawnSync } from 'node:child_process'
import { chmod, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'

const script = fileURLToPath(new URL('../ensure-chromium.sh', import.meta.url))

let machine: string
beforeEach(async () => {
  machine = await mkdtemp(join(tmpdir(), 'pushkeep-chromium-'))
  for (const name of ['bash', 'env', 'chmod']) {
    const { stdout } = spawnSync('which', [name], { encoding: 'utf8' })
    await symlink(stdout.trim(), join(machine, name))
  }
})
afterEach(() => rm(machine, { recursive: true, force: true }))

/** Puts a program onto the machine, written in bash. */
async function program(name: string, ...lines: string[]): Promise<void> {
  const path = join(machine, name)
  await writeFile(path, ['#!/usr/bin/env bash', ...lines, ''].join('\n'))
  await chmod(path, 0o755)
}

/** apt-get as a machine has it: notes what it is asked, with what it may ask back. */
function aptGet(...lines: string[]): Promise<void> {
  const note = `echo "\${DEBIAN_FRONTEND:-} $*" >>'${join(machine, 'asked')}'`
  return program('apt-get', note, ...lines)
}

const putsChromium = [
  'case " $* " in *" --simulate "*|*update*) exit 0;; esac',
  `printf '#!/bin/sh\\n' >"$HERE/chromium"; chmod +x "$HERE/chromium"`,
]

function ensure() {
  const { status, stdout } = spawnSync('bash', [script], {
    encoding: 'utf8',
    env: { PATH: machine, HERE: machine },
  })
  return { status, path: stdout.trim() }
}

const asked = () => readFile(join(machine, 'asked'), 'utf8').catch(() => '')

test('where there is one, nothing is installed', async () => {
  await program('chromium')
  await aptGet()
  expect(ensure()).toEqual({ status: 0, path: join(machine, 'chromium') })
  expect(await asked()).toBe('')
})

test('as root on a new machine it is installed, and no question is asked', async () => {
  await program('id', 'echo 0')
  await aptGet(...putsChromium)
  expect(ensure()).toEqual({ status: 0, path: join(machine, 'chromium') })
  const [update, , install] = (await asked()).split('\n')
  expect(update).toContain('update')
  expect(install).toMatch(/^noninteractive install -y .*\bchromium fonts-liberation$/)
})

test('whoever is not root installs it if sudo needs no password', async () => {
  await program('id', 'echo 1000')
  await aptGet(...putsChromium)
  expect(ensure()).toEqual({ status: 1, path: '' })
  expect(await asked()).toBe('')
  await program('sudo', '[ "$1" = -n ] && shift; exec "$@"')
  await program('true')
  expect(ensure()).toEqual({ status: 0, path: join(machine, 'chromium') })
})

test('1 says that the machine can have none: no package manager, or no such package', async () => {
  await program('id', 'echo 0')
  expect(ensure()).toEqual({ status: 1, path: '' })
  await aptGet('[[ " $* " != *" --simulate "* ]]')
  expect(ensure()).toEqual({ status: 1, path: '' })
})

test('2 says that it could have been installed, and was not', async () => {
  await program('id', 'echo 0')
  await aptGet('[[ " $* " == *" --simulate "* ]]')
  expect(ensure()).toEqual({ status: 2, path: '' })
})
