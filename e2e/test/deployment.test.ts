import { execFileSync } from 'node:child_process'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'

const root = fileURLToPath(new URL('../..', import.meta.url))

const Service = z.looseObject({
  read_only: z.boolean().optional(),
  cap_drop: z.array(z.string()).optional(),
  security_opt: z.array(z.string()).optional(),
  mem_limit: z.string().optional(),
  pids_limit: z.number().optional(),
  ports: z.array(z.string()).default([]),
  secrets: z.array(z.string()).default([]),
  environment: z.record(z.string(), z.union([z.string(), z.number()])).default({}),
})
const Compose = z.looseObject({
  services: z.record(z.string(), Service),
  secrets: z.record(z.string(), z.object({ file: z.string() })),
})
const text = await readFile(join(root, 'docker-compose.yml'), 'utf8')
const compose = Compose.parse(parse(text, { merge: true }))
const services = Object.entries(compose.services)

test.each(services)(
  '%s can write nothing, may do nothing of root, and is bounded',
  (_, service) => {
    expect(service).toMatchObject({
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
    })
    expect(service.mem_limit).toBeTruthy()
    expect(service.pids_limit).toBeGreaterThan(0)
  },
)

test.each(services)('%s is published on this machine alone', (_, { ports }) => {
  for (const port of ports)
    expect(port).toMatch(/^(127\.0\.0\.1|\$\{PUSHKEEP_BIND:-127\.0\.0\.1\}):/)
})

test.each(services)(
  '%s has no secret in its environment, and is given each file that it names',
  (_, service) => {
    for (const [name, value] of Object.entries(service.environment)) {
      if (!name.endsWith('_FILE') || name === 'PROVIDER_CA_FILE') {
        expect(name).not.toMatch(/DATABASE_URL|REDIS_URL|PASSWORD|_KEY/)
        continue
      }
      const secret = /^\/run\/secrets\/(\w+)$/.exec(String(value))?.[1] ?? ''
      expect(service.secrets).toContain(secret)
    }
    for (const secret of service.secrets) expect(compose.secrets).toHaveProperty(secret)
  },
)

test('each program has a database role of its own', () => {
  const urlOf = (name: string) => compose.services[name]?.environment.DATABASE_URL_FILE
  const urls = ['token-registry', 'push-sender', 'workers', 'cli', 'migrate'].map(urlOf)
  expect(new Set(urls).size).toBe(5)
})

test('secrets are made once, closed to others, and taken over from an older .env', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'pushkeep-deploy-'))
  try {
    const run = (command: string) => execFileSync('sh', ['-c', command], { cwd: folder })
    run(
      `mkdir scripts && cp ${join(root, 'scripts/secrets')} scripts/ && echo POSTGRES_PASSWORD=older > .env`,
    )
    run('./scripts/secrets')
    const read = (name: string) => readFile(join(folder, '.secrets', name), 'utf8')
    const names = Object.values(compose.secrets).map(({ file }) => file.replace('.secrets/', ''))
    const before = await Promise.all(names.map(read))
    expect(await read('postgres_password')).toBe('older')
    expect(await read('owner_database_url')).toContain(':older@')
    expect(Buffer.from(await read('encryption_key'), 'base64')).toHaveLength(32)
    expect((await stat(join(folder, '.secrets'))).mode & 0o777).toBe(0o700)
    run('./scripts/secrets')
    expect(await Promise.all(names.map(read))).toEqual(before)
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('the bill of materials is the same for the same lock, and names each package with its version', () => {
  const make = () =>
    execFileSync(process.execPath, ['infra/local/src/sbom.ts'], {
      cwd: root,
      encoding: 'utf8',
      maxBuffer: 1e8,
    })
  const first = make()
  expect(make()).toBe(first)
  const Bom = z.looseObject({
    bomFormat: z.literal('CycloneDX'),
    specVersion: z.literal('1.6'),
    components: z.array(z.looseObject({ name: z.string(), version: z.string(), purl: z.string() })),
  })
  const { components } = Bom.parse(JSON.parse(first))
  const names = components.map(({ purl }) => purl)
  for (const name of ['fastify', 'pg', 'bullmq']) {
    expect(
      names.some((purl) => purl.startsWith(`pkg:npm/${name}@`)),
      name,
    ).toBe(true)
  }
  expect(first).not.toContain('"pkg:npm/vitest@')
})
