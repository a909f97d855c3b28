import type { Logger } from 'pino'
import { logLevels } from './config.ts'

export type LogLevel = (typeof logLevels)[number]

/** How much a running process logs. */
export interface LevelSwitch {
  /** The level now, and when it goes back to the configured one (ms since the epoch; null: never). */
  read(): { level: LogLevel; until: number | null }
  /** Sets the level; with `forSeconds` the configured one comes back by itself. */
  set(level: LogLevel, forSeconds: number | null): void
  /** To `debug`, or back to the configured level where it is another one already. */
  toggle(): void
}

/** Changes a logger's level while it is in use. */
export function createLevelSwitch(logger: Logger, now: () => number = Date.now): LevelSwitch {
  const configured = levelOf(logger)
  let timer: NodeJS.Timeout | undefined
  let until: number | null = null

  function set(level: LogLevel, forSeconds: number | null) {
    clearTimeout(timer)
    const before = levelOf(logger)
    until = forSeconds === null ? null : now() + forSeconds * 1000
    if (forSeconds !== null) {
      timer = setTimeout(() => set(configured, null), forSeconds * 1000)
      timer.unref()
    }
    // Said at a level that is not left out before or after.
    logger.level = 'info'
    logger.info({ event: 'log-level.changed', from: before, to: level, for_seconds: forSeconds })
    logger.level = level
  }

  return {
    read: () => ({ level: levelOf(logger), until }),
    set,
    toggle: () => set(levelOf(logger) === configured ? 'debug' : configured, null),
  }
}

function levelOf(logger: Logger): LogLevel {
  return logLevels.find((level) => level === logger.level) ?? 'info'
}
