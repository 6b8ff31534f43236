/** How the store runs what it is told to. */
export interface LmdbCalls {
  /** In the next transaction; `bytes` is about what is written. */
  write<T>(id: string, bytes: number, run: () => T): Promise<T>
  /** At once, unless it comes behind a call for the same id, or `changes` something itself. */
  read<T>(id: string, run: () => T, changes?: () => boolean): Promise<T>
}
