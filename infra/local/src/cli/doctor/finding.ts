/** `warning`: it works, and will not for ever. `problem`: something does not work. */
export type Level = 'ok' | 'warning' | 'problem'

/** What one check found, in a line, and in another what to do about it. */
export interface Finding {
  check: string
  level: Level
  said: string
  /** null where nothing has to be done. */
  todo: string | null
}

export function ok(check: string, said: string): Finding {
  return { check, level: 'ok', said, todo: null }
}

export function warning(check: string, said: string, todo: string): Finding {
  return { check, level: 'warning', said, todo }
}

export function problem(check: string, said: string, todo: string): Finding {
  return { check, level: 'problem', said, todo }
}

/** A number of things, such as `3 apps`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en')} ${count === 1 ? one : many}`
}

/** A time in the unit that people would use. */
export function duration(seconds: number): string {
  if (seconds < 120) return counted(Math.round(seconds), 'second')
  if (seconds < 7200) return counted(Math.round(seconds / 60), 'minute')
  if (seconds < 172_800) return counted(Math.round(seconds / 3600), 'hour')
  return counted(Math.round(seconds / 86_400), 'day')
}
