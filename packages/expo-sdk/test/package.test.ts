import { spawn, spawnSync } from 'node:child_process'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { version } from '../src/core/version.ts'

// The package as it is published: packed, installed into an empty project, and used there.

const folder = fileURLToPath(new URL('..', import.meta.url))
const root = join(folder, '../..')
let project: string
let installed: string

function run(file: string, args: string[], cwd: string): string {
  const { status, stdout, stderr } = spawnSync(file, args, { cwd, encoding: 'utf8' })
  if (status !== 0)
    throw new Error(`${file} ${args.join(' ')} ended with ${status}\n${stdout}${stderr}`)
  return stdout
}

beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), 'pushkeep-sdk-'))
  const [packed] = JSON.parse(run('npm', ['pack', '--json', '--pack-destination', project], folder))
  writeFileSync(join(project, 'package.json'), '{ "name": "app", "private": true }')
  run('npm', ['install', '--offline', '--no-audit', '--no-fund', `./${packed.filename}`], project)
  installed = join(project, 'node_modules/@pushkeep/expo-sdk')
  cpSync(join(folder, 'test/consumer'), project, { recursive: true })
  for (const name of ['application', 'device', 'localization', 'notifications']) {
    stubModule(`expo-${name}`)
  }
  stubModule('react-native')
}, 120_000)

afterAll(() => rmSync(project, { recursive: true, force: true }))

function stubModule(name: string): void {
  const place = join(project, 'node_modules', name)
  mkdirSync(place)
  writeFileSync(join(place, 'package.json'), '{ "type": "module", "exports": "./index.js" }')
  writeFileSync(join(place, 'index.js'), "export * from '../../expo-stubs/index.mjs'\n")
}

/** Runs a program of the project against a server; what it sent and printed. */
async function serve(program: string) {
  // biome-ignore lint/suspicious/noExplicitAny: what a program sent, looked at by tests
  const items: any[] = []
  const server = createServer(async (request, response) => {
    let text = ''
    for await (const chunk of request) text += chunk
    items.push(...JSON.parse(text).batch)
    response.setHeader('content-type', 'application/json').end('{}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const child = spawn(process.execPath, [program, `http://127.0.0.1:${port}`], { cwd: project })
  let printed = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      printed += chunk
    })
  }
  const code = await new Promise((resolve) => child.on('exit', resolve))
  await new Promise((resolve) => server.close(resolve))
  return { code, printed, items }
}

function filesIn(place: string): string[] {
  return readdirSync(place, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(place.length + 1))
}

test('holds JavaScript, declarations and the README, and depends on nothing', () => {
  const files = filesIn(installed)
  expect(files.filter((file) => !/^dist\/.*\.(js|d\.ts)$/.test(file)).sort()).toEqual([
    'README.md',
    'dist/cjs/package.json',
    'package.json',
  ])
  const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'))
  expect(manifest.dependencies).toBeUndefined()
  expect(manifest.version).toBe(version)
})

/** A file of the package and all that it imports. */
function closure(file: string, found = new Set<string>()): Set<string> {
  if (found.has(file)) return found
  found.add(file)
  const text = readFileSync(file, 'utf8')
  for (const [, name = ''] of text.matchAll(/(?:from|import|require\() ?['"]([^'"]+)['"]/g)) {
    expect(name, `an import of ${file}`).toMatch(/^\.\.?\//)
    closure(join(dirname(file), name), found)
  }
  return found
}

test.each(['esm', 'cjs'])(
  'the core (%s) is at most 15 kB gzipped, and imports nothing else',
  (kind) => {
    const files = [...closure(join(installed, 'dist', kind, 'core/index.js'))]
    const text = files.map((file) => readFileSync(file, 'utf8')).join('\n')
    const bytes = gzipSync(text, { level: 9 }).length
    console.log(`core, ${kind}: ${files.length} files, ${text.length} bytes, ${bytes} gzipped`)
    expect(bytes).toBeLessThanOrEqual(15_000)
  },
)

test.each(['esm.mjs', 'cjs.cjs'])('runs in Node without Expo: %s', async (program) => {
  const { code, printed, items } = await serve(program)
  expect({ code, printed }).toEqual({ code: 0, printed: '' })
  expect(items.map(({ type, userId }) => [type, userId])).toEqual([
    ['track', undefined],
    ['identify', 'ana'],
    ['track', 'ana'],
  ])
  expect(items[0].properties).toEqual({ sdk: version })
})

test('an app: token, attributes, permission, pushes, through the adapter', async () => {
  const { code, printed, items } = await serve('app.mjs')
  expect({ code, printed: JSON.parse(printed) }).toEqual({
    code: 0,
    printed: { errors: [], status: 'GRANTED' },
  })
  const devices = items.filter(({ event }) => event === 'Device Created or Updated')
  expect(devices[0]).toMatchObject({
    properties: {
      device_os: 'iOS 17.4',
      device_model: 'iPhone 15 Pro',
      device_manufacturer: 'Apple',
      app_version: '2.1.0',
      cio_sdk_version: version,
      device_locale: 'zh-TW',
      push_enabled: 'false',
    },
    context: { device: { type: 'ios', token: 'T1', environment: 'sandbox' } },
  })
  const seen = devices.map(({ userId, properties, context }) => [
    userId ?? 'nobody',
    properties.push_enabled,
    context.device.token,
  ])
  expect(seen).toContainEqual(['ana', 'false', 'T1'])
  // Allowed in the settings, seen when the app came to the front.
  expect(seen).toContainEqual(['ana', 'true', 'T1'])
  expect(seen.at(-1)).toEqual(['ana', 'true', 'T2'])
  const metrics = items.filter(({ event }) => event === 'Report Delivery Event')
  expect(metrics.map(({ properties }) => properties)).toEqual([
    { metric: 'opened', deliveryId: 'd1', recipient: 'T1' },
    { metric: 'delivered', deliveryId: 'd2', recipient: 'T1' },
  ])
})

test.each([
  ['nodenext', 'types.mts'],
  ['nodenext', 'types.cts'],
  ['bundler', 'types.mts'],
])(
  'its types are found and hold: %s, %s',
  (resolution, file) => {
    if (file === 'types.cts') cpSync(join(project, 'types.mts'), join(project, file))
    const module = resolution === 'bundler' ? 'esnext' : 'nodenext'
    run(
      join(root, 'node_modules/.bin/tsc'),
      [
        ...[
          '--noEmit',
          '--strict',
          '--exactOptionalPropertyTypes',
          '--types',
          '',
          '--lib',
          'es2020',
        ],
        ...['--module', module, '--moduleResolution', resolution, file],
      ],
      project,
    )
  },
  60_000,
)
