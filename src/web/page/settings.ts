/**
 * The little things that this browser keeps for the page, in localStorage: the name, drafts, whether the network was cut.
 *
 * Where the browser keeps nothing, they live as long as the page.
 */
const memory = new Map<string, string>()
const START = 'ackd chat '

export const settings = {
  read: (name: string): string | null => {
    try {
      return localStorage.getItem(START + name) ?? memory.get(name) ?? null
    } catch {
      return memory.get(name) ?? null
    }
  },

  /** '' takes it away. */
  write: (name: string, value: string): void => {
    if (value === '') memory.delete(name)
    else memory.set(name, value)
    try {
      if (value === '') localStorage.removeItem(START + name)
      else localStorage.setItem(START + name, value)
    } catch {
      // It lives as long as the page.
    }
  },

  /** Hears what other tabs write. */
  watch: (name: string, changed: (value: string | null) => void): (() => void) => {
    const listener = ({ key, newValue }: StorageEvent): void => {
      if (key === START + name) changed(newValue)
    }
    addEventListener('storage', listener)
    return () => removeEventListener('storage', listener)
  },
}
