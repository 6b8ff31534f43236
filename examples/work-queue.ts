/** A worker whose handler fails once: the job comes again, those behind it wait, and the order is kept. */
import { connect } from 'ackd/client'

const url = process.env['ACKD_URL'] ?? 'ws://127.0.0.1:5000/ws'
const office = connect<{ job: number }>(url)
const worker = connect<{ job: number }>(url)

let stumbled = false
worker.on('message', async ({ body }) => {
  if (body.job === 2 && !stumbled) {
    stumbled = true
    console.log('job 2 failed')
    throw new Error('the disk was full')
  }
  await new Promise(resolve => setTimeout(resolve, 10))
  console.log(`job ${body.job} is done`)
})

const address = await worker.ready()
const jobs = await Promise.all([1, 2, 3].map(job => office.send(address, { job })))
await Promise.all(jobs.map(job => job.delivered))
console.log('all three were acked')

await Promise.all([office.close(), worker.close()])
