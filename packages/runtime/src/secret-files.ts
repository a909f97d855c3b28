import { readFileSync } from 'node:fs'

/**
 * The environment with what stands in files: of each variable named, `NAME_FILE` may name a file that holds
 * its value instead, as container engines hand secrets over. White space at the end is not part of it.
 * Throws where both are set, or where the file cannot be read; the message has no value.
 */
export function withSecretFiles<Env extends Record<string, string | undefined>>(
  env: Env,
  names: readonly string[],
): Env {
  const read: Record<string, string> = {}
  for (const name of names) {
    const file = env[`${name}_FILE`]
    if (!file) continue
    if (env[name]) throw new Error(`${name} and ${name}_FILE are both set`)
    read[name] = contentOf(name, file)
  }
  return { ...env, ...read }
}

function contentOf(name: string, file: string): string {
  let content: string
  try {
    content = readFileSync(file, 'utf8').trimEnd()
  } catch {
    throw new Error(`${name}_FILE names a file that cannot be read`)
  }
  if (content === '') throw new Error(`${name}_FILE names an empty file`)
  return content
}
