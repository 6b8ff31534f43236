import { describe, expect, it } from 'vitest'
import { parseJson, toJson, toSpeech, toText } from '../../src/cli/bodies.ts'
import { within } from '../../src/cli/connecting.ts'
import { quantityFlag } from '../../src/cli/program-flags.ts'
import { aCount, aDuration, aSize, showBytes, showDuration } from '../../src/cli/quantities.ts'
import { Terminal, columns, harmless, type Output } from '../../src/cli/terminal.ts'

class Recorder implements Output {
  written = ''
  readonly isTTY: boolean

  constructor(isTTY: boolean) {
    this.isTTY = isTTY
  }

  write(text: string | Uint8Array, ...rest: unknown[]): boolean {
    this.written += String(text)
    const done = rest.find(argument => typeof argument === 'function')
    if (done) (done as () => void)()
    return true
  }
}

describe('quantities', () => {
  it('reads durations with a unit only', () => {
    expect(aDuration.read('250ms')).toBe(250)
    expect(aDuration.read('10s')).toBe(10_000)
    for (const wrong of ['10', '0', '0s', '-1s', '1y', '', '30d']) expect(aDuration.read(wrong)).toBeUndefined()
  })

  it('reads counts within bounds', () => {
    expect(aCount(1, 64).read('64')).toBe(64)
    for (const wrong of ['0', '65', '1.5', 'many', '1e1']) expect(aCount(1, 64).read(wrong)).toBeUndefined()
  })

  it('reads sizes with or without a unit', () => {
    expect(aSize(8, 4096).read('128')).toBe(128)
    expect(aSize(8, 4096).read('4KiB')).toBe(4096)
    for (const wrong of ['7', '5KiB', '1kb', '']) expect(aSize(8, 4096).read(wrong)).toBeUndefined()
  })

  it('says of a wrong one which flag it was for, and what to write', () => {
    const flag = quantityFlag('-s, --size <bytes>', 'bytes of a body', aSize(8, 4096))
    const read = (): unknown => flag.parseArg?.('7', undefined)
    expect(read).toThrow(
      expect.objectContaining({ message: "--size cannot be '7'", fix: 'write bytes, or 4KiB; from 8B to 4KiB' }),
    )
  })

  it('shows durations and sizes in the unit that fits', () => {
    expect([0.64, 1.84, 42.4, 12_040, 125_000].map(showDuration)).toEqual([
      '640 µs',
      '1.8 ms',
      '42 ms',
      '12.0 s',
      '2 min 5 s',
    ])
    expect([38, 4096, 16_777_216].map(showBytes)).toEqual(['38 B', '4 KiB', '16 MiB'])
  })
})

describe('what does not come in time', () => {
  it('is named, with what is known of why, and what to do', async () => {
    const never = new Promise<never>(() => {})
    await expect(within(1, 'welcome', never, { why: () => 'Too busy.' })).rejects.toMatchObject({
      ...{ ending: 'late', message: 'no welcome within 1.0 ms: Too busy.' },
      fix: 'give it more time: --timeout 60s',
    })
    await expect(within(1, 'answer', never, { fix: 'ask again' })).rejects.toMatchObject({
      ...{ message: 'no answer within 1.0 ms', fix: 'ask again' },
    })
  })
})

describe('bodies', () => {
  it('shows a string as it is and anything else as JSON', () => {
    expect(toText('hello')).toBe('hello')
    expect(toText({ a: [1, null, true] })).toBe('{"a":[1,null,true]}')
    expect(toText(undefined)).toBe('null')
    expect([toSpeech('hi'), toSpeech({ text: 'hi', name: 'Ann' }), toSpeech({ text: 1 })]).toEqual([
      'hi',
      'hi',
      '{"text":1}',
    ])
  })

  it('shows bytes and large integers in the notation of text packets', () => {
    expect(toJson({ raw: new Uint8Array([1, 2]), big: 2n ** 60n })).toBe(
      '{"raw":{"$bin":"AQI="},"big":{"$int":"1152921504606846976"}}',
    )
  })

  it('says what is wrong with a body that is not JSON', () => {
    expect(parseJson('[1]')).toEqual([1])
    expect(() => parseJson('{a:1}')).toThrow('the body is not JSON')
  })
})

describe('Terminal', () => {
  it('keeps status and colour from those who are no terminal', async () => {
    const [out, err] = [new Recorder(false), new Recorder(false)]
    const terminal = new Terminal(out, err, {})
    terminal.status('connecting')
    terminal.progress('10 %')
    await terminal.data(terminal.paint('green', 'done'))
    expect([out.written, err.written]).toEqual(['done\n', ''])
  })

  it('shows both to a person', async () => {
    const [out, err] = [new Recorder(true), new Recorder(true)]
    const terminal = new Terminal(out, err, {})
    terminal.status('connecting')
    await terminal.data(terminal.paint('green', 'done'))
    expect(out.written).toContain('\u001b[32mdone')
    expect(err.written).toBe('connecting\n')
  })

  it.each([{ NO_COLOR: '1' }, { TERM: 'dumb' }])('leaves colour out when %o asks for it', environment => {
    expect(new Terminal(new Recorder(true), new Recorder(true), environment).paint('red', 'no')).toBe('no')
  })
})

describe('harmless', () => {
  it('escapes whatever a terminal would obey', () => {
    expect(harmless('a\u001b[2Jb\nc\td\u202ee\u009b')).toBe('a\\u001b[2Jb\\nc\\td\\u202ee\\u009b')
    expect(harmless('grüße 👋')).toBe('grüße 👋')
  })
})

describe('columns', () => {
  it('pads all but the last column', () => {
    expect(
      columns([
        ['a', 'bb', 'c'],
        ['aaa', 'b', 'ccc'],
      ]),
    ).toEqual(['a    bb  c', 'aaa  b   ccc'])
  })
})
