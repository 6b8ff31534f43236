import { describe, expect, it } from 'vitest'
import { RoomGuesses, type Guesser } from '../../src/gateway/room-guesses.ts'

const from = (address: string, id = 'alice'): Guesser => ({ id, address })

describe('guesses at the passwords of rooms', () => {
  it('are ten a minute for a client, wherever it comes from, and it is told once more how long to wait', () => {
    const guesses = new RoomGuesses()
    for (let i = 0; i < 10; i++) expect(guesses.attempt(from(`192.0.2.${i}`), i)).toBeNull()
    expect(guesses.attempt(from('198.51.100.1'), 1_000)).toEqual({ waitMs: 59_000, first: true })
    expect(guesses.attempt(from('198.51.100.1'), 2_000)).toEqual({ waitMs: 58_000, first: false })
    expect(guesses.attempt(from('198.51.100.1'), 60_000)).toBeNull()
  })

  it('are thirty a minute for a network, whatever ids it makes', () => {
    const guesses = new RoomGuesses()
    for (let i = 0; i < 30; i++) expect(guesses.attempt(from(`2001:db8::${i}`, `id${i}`), 0)).toBeNull()
    expect(guesses.attempt(from('2001:db8::99', 'another'), 0)).toEqual({ waitMs: 60_000, first: true })
    expect(guesses.attempt(from('192.0.2.1', 'another'), 0)).toBeNull()
  })

  it('do not count when they are right', () => {
    const guesses = new RoomGuesses()
    for (let i = 0; i < 100; i++) {
      expect(guesses.attempt(from('192.0.2.1'), 0)).toBeNull()
      guesses.takeBack(from('192.0.2.1'), 0)
    }
  })
})
