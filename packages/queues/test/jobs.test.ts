import { expect, test } from 'vitest'
import { jobsOf, PointerJob, type Ring, workThrough } from '../src/jobs.ts'

const rings = (count: number): Ring[] =>
  Array.from({ length: count }, (_, n) => ({ ref: String(n + 1), ring: 0 }))

const sizesOf = (jobs: ReturnType<typeof jobsOf>) =>
  jobs.map(({ data: { ref, more = [] } }) => [ref, ...more].length)

test.each([
  [0, []],
  [1, [1]],
  [2, [2]],
  [24, [24]],
  [25, [13, 12]],
  [100, [50, 50]],
  [300, [64, 64, 64, 64, 44]],
])('%i rings of one moment share jobs of %j', (count, sizes) => {
  const jobs = jobsOf(rings(count), true)
  expect(sizesOf(jobs)).toEqual(sizes)
  const all = jobs.flatMap(({ data: { ref, more = [] } }) => [ref, ...more])
  expect(all).toEqual(rings(count).map(({ ref }) => ref))
  expect(new Set(jobs.map(({ id }) => id)).size).toBe(jobs.length)
  for (const { data } of jobs) expect(PointerJob.parse(data)).toEqual(data)
})

test('where rings may not share, and where one is traced, each has its own job', () => {
  expect(sizesOf(jobsOf(rings(20), false))).toEqual(Array.from({ length: 20 }, () => 1))
  const traced = { ref: '99', ring: 3, traceparent: 'trace' }
  const jobs = jobsOf([...rings(16), traced], true)
  expect(jobs[0]).toEqual({ id: '99-r3', data: { ref: '99' }, traceparent: 'trace' })
  expect(sizesOf(jobs)).toEqual([1, 16])
})

test('the same rings at the same moment have the same ids', () => {
  expect(jobsOf(rings(50), true)).toEqual(jobsOf(rings(50), true))
})

test('a pointer that fails takes none of its job along, and fails the job', async () => {
  const done: string[] = []
  const work = async (ref: string) => {
    if (ref === '2') throw new Error('two')
    await Promise.resolve()
    done.push(ref)
  }
  const [job] = jobsOf(rings(3), true)
  await expect(workThrough(job?.data, work)).rejects.toThrow('two')
  expect(done).toEqual(['1', '3'])
})
