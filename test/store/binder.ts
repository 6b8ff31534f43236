/** A process that is connected for some clients until it is killed: `binder.ts <url> <id>…`. Prints a line when they are bound. */
import { writeSync } from 'node:fs'

import { openRedisStore } from '../../src/store/redis.ts'
import { register } from './support.ts'

const [, , url = '', ...ids] = process.argv
const store = await openRedisStore({ url })
for (const id of ids) await register(store, id)
writeSync(1, 'bound\n')
setInterval(() => {}, 1_000)
