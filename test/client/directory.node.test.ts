/** What a directory gives back after a process has ended, and after its files were harmed. */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { kill, platform } from 'node:process'
import { createInterface } from 'node:readline'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { directoryKeeper } from '../../src/client/directory.node.ts'
import { Inbox } from '../../src/client/inbox.ts'
import type { Keeper } from '../../src/client/keeper.ts'
import { Outbox } from '../../src/client/outbox.ts'
import { textBody } from './bodies.ts'

const terms = { sendWindow: { messages: 8, bytes: 1_000 }, ackTimeout: 30_000 }
let dir: string
let keeper: Keeper | null = null

/** A process that uses the directory. */
class Process {
  readonly outbox: Outbox
  readonly inbox: Inbox
  readonly #keeper: Keeper

  constructor(fsync = false) {
    const opened = directoryKeeper(dir, { fsync })
    keeper = this.#keeper = opened
    const { outbox, cursors } = opened
    this.outbox = new Outbox(
      { settled: () => {}, changed: change => opened.changed(change), reconnect: () => {} },
      { newName: () => 'outbox-x', ...(outbox && { restore: outbox }) },
    )
    this.inbox = new Inbox(
      { show: () => {}, gap: () => {}, recorded: cursor => opened.recorded(cursor), reconnect: () => {} },
      { restore: cursors },
    )
    opened.attach(
      () => this.outbox.snapshot(),
      () => this.inbox.snapshot(),
      () => [],
    )
    this.outbox.opened({ send: () => {}, sync: () => {} }, terms, 0)
  }

  commit(): void {
    void this.#keeper.commit()
  }

  /** Ends without another word. */
  end(): void {
    this.#keeper.close()
    keeper = null
  }
}

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ackd-directory-'))
})

afterEach(() => {
  keeper?.close()
  keeper = null
  rmSync(dir, { recursive: true })
})

function restart(before: Process): Process {
  before.end()
  return new Process()
}

describe('a directory', () => {
  test('gives back what was read with the address at which it was read', () => {
    const frames = { ack: () => {}, nack: () => {} }
    const before = new Process()
    before.inbox.start()
    for (const [address, n] of [
      ['old', 7],
      ['new', 1],
    ] as const) {
      before.inbox.opened(frames, 4, address)
      before.inbox.message(1, 'ann', 'outbox-a', n, 0, 0, textBody('x'))
      before.inbox.handled()
      before.inbox.closed()
    }
    before.commit()
    expect(restart(before).inbox.snapshot()).toEqual([{ to: 'new', from: 'ann', outbox: 'outbox-a', n: 1 }])
  })

  test('gives back the outbox as it was, whatever has happened to it', () => {
    const action = fc.tuple(fc.nat(9), fc.nat(7), fc.constantFrom('ann', 'bob'))
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), actions => {
        let process = new Process()
        for (const [kind, n, target] of actions) {
          const { outbox } = process
          if (kind < 4) outbox.add(target, textBody(`${target} ${n}`), n, kind)
          else if (kind === 4) outbox.stored(target, n, 0)
          else if (kind === 5) outbox.delivered(target, n, 0)
          else if (kind === 6) outbox.failed(target, n, 'mailbox_full', 0)
          else if (kind === 7) outbox.ended('expired', target, n, '', 0)
          else if (kind === 8) outbox.synced(target, { last: n, delivered: 0 }, 0)
          else outbox.nextAttempt()
          process.commit()
        }
        const before = process.outbox.snapshot()
        process = restart(process)
        const after = process.outbox.snapshot()
        process.end()
        rmSync(join(dir, 'journal'))
        expect(after.streams.map(plain).sort()).toEqual(before.streams.map(plain).sort())
        expect([after.name, after.attempt]).toEqual([before.name, before.attempt])
      }),
      {
        numRuns: 200,
        // Refused below a number that had ended: only a server that errs says so.
        examples: [
          [
            [
              [0, 0, 'bob'],
              [0, 0, 'bob'],
              [7, 2, 'bob'],
              [6, 1, 'bob'],
            ],
          ],
        ],
      },
    )
  })

  test('gives back how far was read', () => {
    const process = new Process()
    process.inbox.opened({ ack: () => {}, nack: () => {} }, 8, 'me')
    process.inbox.start()
    for (const n of [1, 2]) {
      process.inbox.message(n, 'ann', 'outbox-a', n, 0, 0, textBody('x'))
      process.inbox.handled()
    }
    process.commit()
    expect(restart(process).inbox.snapshot()).toEqual([{ to: 'me', from: 'ann', outbox: 'outbox-a', n: 2 }])
  })

  test('keeps its files for their owner alone', () => {
    const process = new Process()
    keeper?.identity.save({ id: 'me', secret: 'hush' })
    process.commit()
    for (const name of ['identity.json', 'journal', 'lock']) expect(statSync(join(dir, name)).mode & 0o077).toBe(0)
    expect(keeper?.identity.load()).toEqual({ id: 'me', secret: 'hush' })
  })

  test('does not grow without end', () => {
    const process = new Process()
    for (let n = 1; n <= 3_000; n++) {
      process.outbox.add('ann', textBody('x'.repeat(1_000)), 0, 0)
      process.outbox.delivered('ann', n, 0)
      process.commit()
    }
    expect(statSync(join(dir, 'journal')).size).toBeLessThan(1_100_000)
    expect(restart(process).outbox.snapshot().streams).toMatchObject([{ next: 3_001, messages: [] }])
  })
})

describe('the lock', () => {
  test.each([
    ['free', null],
    ['left behind', '999999999\n'],
  ])('is had by one of many processes that come at once when it is %s', async (_, left) => {
    if (left !== null) writeFileSync(join(dir, 'lock'), left)
    const rivals = Array.from({ length: 6 }, () => rival())
    try {
      await Promise.all(rivals.map(word))
      const answers = Promise.all(rivals.map(word))
      for (const { stdin } of rivals) stdin.write('now')
      expect((await answers).sort()).toEqual(['in_use', 'in_use', 'in_use', 'in_use', 'in_use', 'mine'])
    } finally {
      for (const child of rivals) child.kill('SIGKILL')
    }
  })

  test('keeps a second user out, and is taken over from a process that is gone', () => {
    const process = new Process()
    expect(() => directoryKeeper(dir)).toThrow(expect.objectContaining({ code: 'in_use' }))
    process.end()
    writeFileSync(join(dir, 'lock'), '999999999\n')
    new Process().end()
    writeFileSync(join(dir, 'lock'), '1\n')
    expect(() => directoryKeeper(dir)).toThrow(expect.objectContaining({ code: 'in_use' }))
  })

  test.runIf(platform === 'linux')('is taken over when a process has the number of the one that is gone', () => {
    const child = spawn('sleep', ['600'])
    try {
      const owner = new Process()
      const lock = readFileSync(join(dir, 'lock'), 'utf8')
      owner.end()
      // As it was written before the machine was started anew, by one of that number.
      writeFileSync(join(dir, 'lock'), lock.replace(/^\d+/, String(child.pid)))
      new Process().end()
    } finally {
      child.kill('SIGKILL')
    }
  })

  test.runIf(platform === 'linux')('is taken over from a killed process whose end nobody has asked for', async () => {
    // The shell becomes a program that never asks how its child has ended.
    const parent = spawn('sh', ['-c', 'sleep 600 & echo $!; exec sleep 600'], { stdio: ['ignore', 'pipe', 'ignore'] })
    try {
      const [line] = (await once(createInterface(parent.stdout), 'line')) as [string]
      const pid = Number(line)
      writeFileSync(join(dir, 'lock'), `${pid}\n`)
      expect(() => directoryKeeper(dir)).toThrow(expect.objectContaining({ code: 'in_use' }))
      kill(pid, 'SIGKILL')
      await vi.waitFor(() => new Process().end(), { timeout: 20_000, interval: 20 })
    } finally {
      parent.kill('SIGKILL')
    }
  })
})

describe('damage', () => {
  function filled(): string {
    const process = new Process()
    for (let i = 0; i < 3; i++) process.outbox.add('ann', textBody(`message ${i}`), 0, 0)
    process.commit()
    process.end()
    return join(dir, 'journal')
  }

  test.each([1, 5, 20])('at the end, %i bytes too few, costs the last record only', missing => {
    const journal = filled()
    truncateSync(journal, statSync(journal).size - missing)
    expect(new Process().outbox.count).toBe(2)
  })

  test('at the end, of bytes that are no record, is cut off', () => {
    appendFileSync(filled(), Buffer.alloc(100))
    expect(new Process().outbox.count).toBe(3)
  })

  /** Commits what was added or counted, one after the other, then cursors, and harms the first of it. */
  function harmed(...changes: ((outbox: Outbox) => void)[]): Buffer {
    const process = new Process(true)
    const journal = join(dir, 'journal')
    const { size } = statSync(journal)
    for (const change of changes) {
      change(process.outbox)
      process.commit()
    }
    process.end()
    const bytes = readFileSync(journal)
    bytes.fill(0, size, size + 20)
    writeFileSync(journal, bytes)
    return bytes
  }

  const add = (outbox: Outbox): void => void outbox.add('ann', textBody('message'), 0, 0)
  const store = (outbox: Outbox): void => outbox.stored('ann', 1, 0)

  test.each([
    ['a message', add, add],
    ['the count of connections', (outbox: Outbox) => void outbox.nextAttempt(), add],
  ])('of %s, before what was written later, is told, and nothing is changed', (_, first, second) => {
    const bytes = harmed(first, second)
    expect(() => new Process()).toThrow(expect.objectContaining({ code: 'unreadable' }))
    expect(readFileSync(join(dir, 'journal')).equals(bytes)).toBe(true)
  })

  test('of what was on its way to the disk with the last messages is cut off with them', () => {
    const kept = new Process(true)
    add(kept.outbox)
    kept.commit()
    kept.end()
    harmed(store, add)
    expect(new Process().outbox.count).toBe(1)
  })

  test('of the identity is told, and the directory is given back', () => {
    writeFileSync(join(dir, 'identity.json'), 'half a fi')
    expect(() => new Process()).toThrow(expect.objectContaining({ code: 'unreadable' }))
    rmSync(join(dir, 'identity.json'))
    expect(() => new Process()).not.toThrow()
  })

  test('of the first line is told', () => {
    const journal = filled()
    writeFileSync(journal, 'something else')
    expect(() => new Process()).toThrow(expect.objectContaining({ code: 'unreadable' }))
  })
})

function plain(stream: ReturnType<Outbox['snapshot']>['streams'][number]): string {
  const { target, next, messages } = stream
  const lines = messages.map(({ id, n, body, ttl, stored }) => [id, n, ttl, stored, Buffer.from(body.bytes).toString()])
  return JSON.stringify([target, next, lines])
}

/** A process that wants the directory when it is told, says whether it got it, and keeps it. */
function rival(): ChildProcessWithoutNullStreams {
  const keeperUrl = new URL('../../src/client/directory.node.ts', import.meta.url).href
  const program = `
    import { directoryKeeper } from ${JSON.stringify(keeperUrl)}
    process.stdin.on('data', () => {
      try {
        directoryKeeper(${JSON.stringify(dir)})
        process.stdout.write('mine')
      } catch (error) {
        process.stdout.write(error.code)
      }
    })
    process.stdout.write('ready')`
  return spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program])
}

async function word({ stdout }: ChildProcessWithoutNullStreams): Promise<string> {
  const [chunk] = (await once(stdout, 'data')) as [Buffer]
  return String(chunk)
}
