import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { json } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { measureCpu, usageOf } from '../processes.ts'
import type { Report } from '../report.ts'
import type { Scene } from '../scene.ts'

const cli = fileURLToPath(new URL('../../../infra/local/bin/pushkeep.js', import.meta.url))

interface File {
  what: string
  name: string
  header?: string
  line: (n: number) => string
  /** What each line has to come to. */
  verdict: 'identified' | 'created' | 'updated'
}

/** `pushkeep import` of people and of tokens with their people, as NDJSON and as CSV. */
export async function importing(
  scene: Scene,
  report: Report,
  { lines, seed }: { lines: number; seed: string },
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'pushkeep-bench-import-'))
  try {
    await importOne(scene, folder, people('warm-up', seed), Math.min(lines, 20_000))
    const tokens = tokensAsNdjson(seed)
    for (const file of [people('people', seed), tokens, again(tokens), tokensAsCsv(seed)]) {
      const { perSecond, detail } = await importOne(scene, folder, file, lines)
      const figure = { figure: `import ${file.what}`, value: perSecond, unit: 'lines/s' }
      await report.add({ ...figure, bar: { least: 20_000 }, detail })
      if (file !== tokens) continue
      const plain = await bare(scene, lines, seed)
      await report.add({ figure: 'bare inserts of tokens', value: plain, unit: '1/s' })
      await report.add({ figure: 'import tokens / bare', value: perSecond / plain, unit: '' })
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function people(mark: string, seed: string): File {
  const line = (n: number) =>
    JSON.stringify({
      id: `${seed}-${mark}-${n}`,
      attributes: { plan: n % 3 === 0 ? 'pro' : 'free', visits: n, address: { city: 'Oslo' } },
    })
  return { what: 'people, NDJSON', name: `${mark}.ndjson`, line, verdict: 'identified' }
}

const tokenOf = (mark: string, n: number) =>
  createHash('sha256').update(`${mark} ${n}`).digest('hex')

function tokensAsNdjson(seed: string): File {
  const line = (n: number) =>
    JSON.stringify({
      token: tokenOf(`${seed} ndjson`, n),
      platform: 'ios',
      person_id: `${seed}-people-${n}`,
      last_used: 1_763_900_000,
      attributes: { app_version: '4.2.0', device_os: '19.1', push_enabled: true },
    })
  return { what: 'tokens, NDJSON', name: 'tokens.ndjson', line, verdict: 'created' }
}

function again(file: File): File {
  return { ...file, what: 'tokens again, NDJSON', name: 'again.ndjson', verdict: 'updated' }
}

function tokensAsCsv(seed: string): File {
  const columns = ['token', 'platform', 'person_id', 'last_used', 'attributes.app_version']
  const line = (n: number) =>
    [tokenOf(`${seed} csv`, n), 'ios', `${seed}-csv-${n}`, '1763900000', '"4,2"'].join()
  return {
    what: 'tokens with new people, CSV',
    name: 'tokens.csv',
    header: columns.join(),
    line,
    verdict: 'created',
  }
}

/**
 * What PostgreSQL takes to store such devices, each of somebody, with its first event: rows that lie ready
 * in a table, inserted by two connections; nothing read, checked, sent or answered. Rows a second.
 */
async function bare(scene: Scene, lines: number, seed: string): Promise<number> {
  const { database, appNo } = scene
  await database.query(
    `create unlogged table bench_rows as
     select n, encode(sha256(convert_to($1 || ' bare ' || n, 'UTF8')), 'hex') as token,
            (select person_no from people where id = $1 || '-people-' || n limit 1) as person_no
     from generate_series(0, $2::int - 1) n`,
    [seed, lines],
  )
  await database.query('create index on bench_rows (n)')
  await database.query('analyze bench_rows')
  let next = 0
  const insert = async () => {
    for (let first = next; first < lines; first = next) {
      next = first + 500
      await database.query({ name: 'bench-bare', text: bareText, values: [appNo, first, next] })
    }
  }
  const began = performance.now()
  await Promise.all([insert(), insert()])
  const seconds = (performance.now() - began) / 1000
  await database.query('drop table bench_rows')
  return Math.round(lines / seconds)
}

const bareText = `
  with written as (
    insert into devices (app_no, token_hash, token, platform, provider, person_no, attributes,
                         push_permission, last_used, registered_at, ordered_at)
    select $1, substr(encode(sha256(convert_to(token, 'UTF8')), 'hex'), 1, 32)::uuid, token, 'ios',
           'apns', person_no, '{"app_version":"4.2.0","device_os":"19.1"}', true, 1763900000, now(), now()
    from bench_rows where n >= $2 and n < $3 order by token
    returning device_no, person_no
  )
  insert into device_events (device_no, at, kind, person_no)
  select device_no, now(), 'registered', person_no from written`

/** Lines a second from the start of the process to its end, opening the database included. */
async function importOne(scene: Scene, folder: string, file: File, lines: number) {
  const path = join(folder, file.name)
  await pipeline(Readable.from(chunksOf(file, lines)), createWriteStream(path))
  const { postgres = 0 } = scene.pids
  const child = spawn(process.execPath, [cli, 'import', path, '--quiet', '--json'], {
    env: { PATH: process.env.PATH, DATABASE_URL: scene.local.database_url },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const used = sampleCpu(child)
  const { result, seconds, cores } = await measureCpu({ postgres }, () => json(child.stdout))
  const tally = result as Record<string, number>
  if (tally[file.verdict] !== lines) {
    throw new Error(`${tally[file.verdict]} lines are ${file.verdict}, not ${lines}`)
  }
  const detail = {
    lines,
    seconds: Math.round(seconds * 100) / 100,
    cores: { ...cores, command: Math.round((used() / seconds) * 100) / 100 },
  }
  return { perSecond: Math.round(lines / seconds), detail }
}

function* chunksOf({ header, line }: File, lines: number): Generator<string> {
  if (header) yield `${header}\n`
  for (let first = 0; first < lines; first += 1000) {
    const count = Math.min(1000, lines - first)
    yield Array.from({ length: count }, (_, n) => `${line(first + n)}\n`).join('')
  }
}

/** The CPU seconds of a process that will be gone when it has ended: those of the last look. */
function sampleCpu(child: ChildProcess): () => number {
  let last = 0
  const timer = setInterval(() => {
    void usageOf(child.pid ?? 0).then((usage) => {
      last = usage?.cpuSeconds ?? last
    })
  }, 100)
  child.once('close', () => clearInterval(timer))
  return () => last
}
