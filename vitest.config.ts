import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: [
      '{packages,services,infra}/*/test/**/*.test.ts',
      '{workers,e2e,benchmarks}/test/**/*.test.ts',
      'e2e/clients/**/*.test.ts',
    ],
    globalSetup: ['@pushkeep/testkit/global-setup'],
    pool: 'forks',
    // Two cores: more files at a time only make each of them slow.
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // What a test waits for comes when the machine gets to it; how soon is no test's business but where it says so.
    expect: { poll: { timeout: 10_000 } },
  },
})
