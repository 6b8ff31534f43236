/**
 * Who is in a room, as the nodes that share a store tell it to each other: the shapes that the core and the store share, and nothing else.
 *
 * The roll of a room has a mark, another and higher one after each change. It is kept by client: who comes to another node has not left
 * the room, and the node at which he was cannot take him off the roll any more.
 */

export interface Present {
  readonly id: string
  readonly name: string
}

/** What a node has to say. */
export interface RollReport {
  /** Of the room that it means, any of its epochs. */
  readonly epoch: string
  readonly coming: readonly Present[]
  /** They are taken off only if they are on the roll as being at this node. */
  readonly going: readonly string[]
  /** The mark of the last change that it knows; 0: none. */
  readonly seen: number
}

export interface Listed extends Present {
  /** Whether he is there as being at the node that asks. */
  readonly here: boolean
}

export interface RollAnswer {
  /** Of the roll, once the report was taken in. */
  readonly mark: number
  /** Of those going, who is at another node. */
  readonly stayed: readonly string[]
  /** The whole roll; null: nothing has changed since the mark that was seen but by this report. */
  readonly everybody: readonly Listed[] | null
}

/** What everybody hears of a report that has changed something. */
export interface RollNews {
  /** The mark before, and after it. */
  readonly before: number
  readonly mark: number
  /** The name of one who came; null for one who went. */
  readonly changes: readonly (readonly [id: string, name: string | null])[]
}
