import { createWriteStream, type WriteStream } from 'node:fs'
import { mkdir, rename } from 'node:fs/promises'
import { join } from 'node:path'

/** A log file for each process. */
export interface Logs {
  write(name: string, line: string): void
  close(): Promise<void>
}

/** Opens the folder of logs. Each file starts anew with a run; the one before it is kept. */
export async function openLogs(directory: string): Promise<Logs> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const files = new Map<string, Promise<WriteStream>>()
  const fileOf = (name: string) => {
    const file = files.get(name) ?? open(join(directory, `${name}.log`))
    files.set(name, file)
    return file
  }
  return {
    write(name, line) {
      void fileOf(name).then((file) => file.write(`${line}\n`))
    },
    async close() {
      const open = await Promise.all(files.values())
      await Promise.all(open.map((file) => new Promise<void>((done) => file.end(() => done()))))
    },
  }
}

async function open(file: string): Promise<WriteStream> {
  await rename(file, `${file}.1`).catch(() => {})
  const stream = createWriteStream(file, { mode: 0o600 })
  // A full disk costs lines, not the run.
  stream.on('error', () => {})
  return stream
}

// JSON lines of a process that say more than `info`, and what is no JSON at all.
const worthShowing = /"level":"(warn|error|fatal)"|^[^{]/

/** Whether an operator should see this line of one of our own processes at once. */
export function isWorthShowing(name: string, line: string): boolean {
  return name !== 'postgres' && name !== 'redis' && worthShowing.test(line)
}
