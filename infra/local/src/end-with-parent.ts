import { isMainThread } from 'node:worker_threads'

// The parent holds the other end of stdin. When it is gone without having stopped us (`kill -9`),
// stdin ends, and we end as if it had asked: nothing goes on without an owner.
if (isMainThread) {
  process.stdin.on('end', () => process.kill(process.pid, 'SIGTERM')).resume()
  process.stdin.unref()
}
