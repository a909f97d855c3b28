export { createTestDatabase, type TestDatabase } from './database.ts'
export { startRedis, type TestRedis } from './redis.ts'
