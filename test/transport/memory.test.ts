import { connectMemory } from '../../src/transport/memory.ts'
import { testTransport } from './contract.ts'

const MAX_BUFFERED = 4 * 1024 * 1024

testTransport({
  name: 'memory',
  maxBuffered: MAX_BUFFERED,
  stream: false,
  open: accept =>
    Promise.resolve({
      connect: () => {
        const received: string[] = []
        const { client } = connectMemory(
          accept,
          {
            packet: (bytes, text) =>
              received.push(`${text ? 'text' : 'binary'}: ${Buffer.from(bytes).toString('hex')}`),
            broken: () => {},
            closed: () => {},
          },
          '127.0.0.1',
          MAX_BUFFERED,
        )
        return Promise.resolve({
          send: (bytes: Uint8Array, text: boolean) => void client.write(bytes, text),
          received,
          get ended() {
            return client.endedBy
          },
          destroy: () => client.destroy(),
        })
      },
      close: () => Promise.resolve(),
    }),
})
