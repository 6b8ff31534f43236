/**
 * The admin token, as this page has it: typed, or given in the fragment of the address (`/console#token=…`), which no server and no log ever
 * sees and which is taken out of the address at once. It is kept in sessionStorage, so that it outlives a reload and ends with its tab.
 */
const KEY = 'ackd console token'
let held = ''

/** The token; '' when there is none. What the address gives comes before what is kept. */
export function knownToken(): string {
  const given = new URLSearchParams(location.hash.slice(1)).get('token') ?? ''
  if (given === '') return held || read()
  history.replaceState(null, '', location.pathname)
  keepToken(given)
  return given
}

/** '' forgets it. */
export function keepToken(token: string): void {
  held = token
  try {
    if (token === '') sessionStorage.removeItem(KEY)
    else sessionStorage.setItem(KEY, token)
  } catch {
    // It lives as long as the page.
  }
}

function read(): string {
  try {
    return sessionStorage.getItem(KEY) ?? ''
  } catch {
    return ''
  }
}
