export { createTestDatabase, type TestDatabase } from './database.ts'
export { findEverywhere } from './everywhere.ts'
export { startRedis, type TestRedis } from './redis.ts'
