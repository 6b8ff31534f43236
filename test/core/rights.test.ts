import { describe, expect, test } from 'vitest'
import { covers } from '../../src/core/rights.ts'

describe('a pattern', () => {
  test.each([
    [['alice'], 'alice', true],
    [['alice'], 'alice2', false],
    [['alice'], 'Alice', false],
    [['team-*'], 'team-1', true],
    [['team-*'], 'team-', true],
    [['team-*'], 'team', false],
    [['team-*'], 'my-team-1', false],
    [['#news.*', '#lobby'], '#news.de', true],
    [['#news.*', '#lobby'], '#lobby', true],
    [['*'], 'anybody', true],
    [[], 'anybody', false],
  ])('in %j: %s is covered: %s', (patterns, name, is) => {
    expect(covers(patterns, name)).toBe(is)
  })
})
