import { describe, expect, it } from 'vitest'
import { changesBetween } from '../src/option-changes.ts'
import { OptionError, readOptions } from '../src/option-sources.ts'
import { optionTable, reloadableNames, type Options } from '../src/options.ts'

const old: Options = { ...readOptions(), auth: 'both', jwtSecret: 'x'.repeat(32), adminToken: 'y'.repeat(32) }

describe('options that are read anew', () => {
  it('change nothing when they are the same', () => {
    expect(changesBetween(old, { ...old, origins: [] })).toEqual({ options: old, changed: {}, waiting: [] })
  })

  it('hold from now on where they can, and wait for a restart where they cannot', () => {
    const given = { ...old, frameRate: 7, origins: ['https://a.example'], maxPacket: 4_096, port: 1 }
    const { options, changed, waiting } = changesBetween(old, given)
    expect(options).toEqual({ ...old, frameRate: 7, origins: ['https://a.example'] })
    expect(changed).toEqual({ frameRate: { from: 1_000, to: 7 }, origins: { from: [], to: ['https://a.example'] } })
    expect(waiting).toEqual(['port', 'maxPacket'])
  })

  it('are told without secrets', () => {
    const { changed } = changesBetween(old, { ...old, adminToken: 'z'.repeat(32), jwtSecret: 'w'.repeat(32) })
    expect(changed).toEqual({ adminToken: 'another one', jwtSecret: 'another one' })
  })

  it('are refused where what can change makes no sense without what cannot', () => {
    expect(() => changesBetween(old, { ...old, jwtSecret: '', auth: 'anonymous' })).toThrow(OptionError)
  })

  it('are options, each named once', () => {
    expect(reloadableNames.filter(name => !Object.hasOwn(optionTable, name))).toEqual([])
    expect(new Set(reloadableNames).size).toBe(reloadableNames.length)
  })
})
