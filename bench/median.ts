/** The one way in which repeats become one figure: the run in the middle, by one figure, so that the figures of a row belong together. */

export function median<Run>(runs: readonly Run[], by: (run: Run) => number): Run {
  const middle = [...runs].sort((a, b) => by(a) - by(b))[Math.floor(runs.length / 2)]
  if (middle === undefined) throw new RangeError('--repeats must be at least 1')
  return middle
}
